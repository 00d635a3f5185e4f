import { encodeCursor, type Position } from '../../../lib/protocol/cursor';
import type { ClientEvent, ClientRecord, PublishRecord, Recording } from '../../support/checker/recording';

interface Entry {
  readonly id: string;
  readonly position: Position;
}

interface ModelClient {
  readonly name: string;
  readonly events: ClientEvent[];
  connection: number;
  live: boolean;
  at?: Position;
}

const CHANNEL = 'news';

/** A channel that behaves, and clients of it: what they record has to be found good. */
export class ModelChannel {
  private entries: Entry[] = [];
  private epoch = 'epoch1';
  private clock = 0;
  private count = 0;
  private readonly publishes: PublishRecord[] = [];
  private readonly clients: ModelClient[];

  constructor(clients = 2) {
    this.clients = Array.from({ length: clients }, (_, i) => ({ name: `client${i}`, events: [], connection: 0, live: false }));
    for (let i = 0; i < clients; i++) this.connect(i);
  }

  publish(outcome: PublishRecord['outcome'] = 'accepted'): void {
    const id = `m${++this.count}`;
    const startedAt = ++this.clock;
    const stored = outcome !== 'rejected';
    if (stored) this.append(id);
    const cursor = outcome === 'accepted' ? encodeCursor(this.head) : undefined;
    this.publishes.push({ channel: CHANNEL, id, outcome, cursor, startedAt, answeredAt: ++this.clock });
  }

  connect(index: number): void {
    const client = this.clients[index]!;
    if (client.live) return;
    client.live = true;
    client.connection++;
    const asked = client.at && encodeCursor(client.at);
    const missed = client.at && this.after(client.at);
    const recovered = client.at && missed !== undefined;
    const cursor = recovered ? asked! : encodeCursor(this.head);
    client.events.push({ kind: 'subscribed', connection: client.connection, asked, recovered, cursor });
    if (!recovered) client.at = this.head;
    for (const entry of missed ?? []) this.give(client, entry);
  }

  disconnect(index: number): void {
    this.clients[index]!.live = false;
  }

  /** A fail-over that lost the newest publications. */
  loseTail(length: number): void {
    this.lose(this.entries.slice(0, Math.max(0, this.entries.length - length)));
  }

  /** A restart without persistence. */
  loseAll(): void {
    this.epoch = `epoch${++this.count}`;
    this.lose([]);
  }

  /** Everybody comes back, and what they have is written down. */
  record(): Recording {
    for (const index of this.clients.keys()) this.connect(index);
    const clients = this.clients.map(({ name, events }): ClientRecord => ({ client: name, channel: CHANNEL, events }));
    return { clients, publishes: this.publishes, heads: { [CHANNEL]: encodeCursor(this.head) } };
  }

  private get head(): Position {
    return this.entries.at(-1)?.position ?? { epoch: this.epoch, offset: 0, tag: '' };
  }

  private append(id: string): void {
    const entry = { id, position: { epoch: this.epoch, offset: this.entries.length + 1, tag: `t${this.count}` } };
    this.entries.push(entry);
    for (const client of this.clients) if (client.live) this.give(client, entry);
  }

  private give(client: ModelClient, { id, position }: Entry): void {
    client.events.push({ kind: 'publication', connection: client.connection, id, cursor: encodeCursor(position) });
    client.at = position;
  }

  private after(position: Position): Entry[] | undefined {
    if (position.epoch !== this.epoch) return undefined;
    const there = this.entries[position.offset - 1]?.position.tag ?? '';
    const held = position.offset <= this.entries.length && there === position.tag;
    return held ? this.entries.slice(position.offset) : undefined;
  }

  private lose(kept: Entry[]): void {
    this.entries = kept;
    for (const client of this.clients) {
      if (!client.live || this.after(client.at!)?.length === 0) continue;
      client.events.push({ kind: 'reset', connection: client.connection, cursor: encodeCursor(this.head) });
      client.at = this.head;
    }
  }
}

/** The recording with other events for one of its clients. */
export function tampered(recording: Recording, index: number, tamper: (events: ClientEvent[]) => ClientEvent[]): Recording {
  const clients = recording.clients.map((record, i) => (i === index ? { ...record, events: tamper([...record.events]) } : record));
  return { ...recording, clients };
}
