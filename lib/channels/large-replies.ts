import type { Connection } from '../hub/connection';
import type { OutboundMessage } from '../protocol/envelope';

/**
 * Replies as large as a good part of a connection's queue. One at a time, each made and sent once the client has taken what
 * went before: who asks for much at once waits for it, and is not taken for a slow consumer.
 */
export class LargeReplies {
  private readonly tails = new WeakMap<Connection, Promise<void>>();

  /** @throws what `make` throws */
  async send(connection: Connection, make: () => Promise<OutboundMessage>): Promise<void> {
    const before = this.tails.get(connection);
    const sent = this.sendAfter(before, connection, make);
    const tail = sent.then(nextTurn, nextTurn);
    this.tails.set(connection, tail);
    void tail.then(() => {
      if (this.tails.get(connection) === tail) this.tails.delete(connection);
    });
    return sent;
  }

  private async sendAfter(before: Promise<void> | undefined, connection: Connection, make: () => Promise<OutboundMessage>): Promise<void> {
    await before;
    await connection.whenWritable();
    if (!connection.open) return;
    const message = await make();
    if (!connection.writable) await connection.whenWritable();
    connection.sendMessage(message);
  }
}

/** By then it is written, and the connection knows whether the client keeps up. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
