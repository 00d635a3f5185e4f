import { AdapterUnavailableError } from '../../../lib/adapter/adapter.errors';
import type { Frame } from '../../../lib/hub/frame';
import type { HubCore } from '../../../lib/hub/hub-core';
import { Outbox } from '../../../lib/hub/outbox';
import type { PublishResult } from '../../../lib/hub/publish.types';
import { waitFor } from '../../support/wait-for';
import { GatedAdapter } from './gated-adapter';
import { connect, createHub, RecordingConnection, settle, startHub } from './hub-kit';

const HISTORY = { channels: { 'kept:*': { history: { size: 10, ttl: '1h' } } } };

function publish(hub: HubCore, channel: string, data: unknown, options: { exclude?: string[]; idempotencyKey?: string } = {}): Promise<PublishResult> {
  return hub.publisher.publish({ channel, frame: hub.encode({ type: 'm', channel, data }, hub.originOf(channel)), ...options });
}

describe('Publisher', () => {
  describe.each(['plain', 'kept:a'])('on %s', (channel) => {
    it('delivers to all subscribers of the channel and to nobody else', async () => {
      const hub = await startHub(HISTORY);
      const [a, b, other] = ['a', 'b', 'other'].map((id) => connect(hub, { id }));
      await hub.subscribe(a!, channel, {});
      await hub.subscribe(b!, channel, {});
      await publish(hub, channel, 1);
      expect([a!.types, b!.types, other!.types]).toEqual([['subscribed', 'm'], ['subscribed', 'm'], []]);
    });

    it('leaves out those that are excluded, live', async () => {
      const hub = await startHub(HISTORY);
      const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
      await hub.subscribe(a!, channel, {});
      await hub.subscribe(b!, channel, {});
      await publish(hub, channel, 1, { exclude: ['a'] });
      expect([a!.types, b!.types]).toEqual([['subscribed'], ['subscribed', 'm']]);
    });

    it('shares the bytes of a publication between its subscribers', async () => {
      const hub = await startHub(HISTORY);
      const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
      await hub.subscribe(a!, channel, {});
      await hub.subscribe(b!, channel, {});
      await publish(hub, channel, 1);
      expect(a!.frames[1]!.bytes).toBe(b!.frames[1]!.bytes);
    });

    it('counts what it published and what was taken', async () => {
      const hub = await startHub(HISTORY);
      await hub.subscribe(connect(hub), channel, {});
      await publish(hub, channel, 1);
      await publish(hub, 'nobody', 1);
      expect(hub.snapshotStats()).toMatchObject({ published: 2, delivered: 1 });
    });
  });

  it('gives a cursor for a channel with history alone', async () => {
    const hub = await startHub(HISTORY);
    expect(await publish(hub, 'plain', 1)).toEqual({ delivered: 'cluster' });
    expect(await publish(hub, 'kept:a', 1)).toEqual({ delivered: 'cluster', cursor: expect.stringMatching(/^\w+-1-\w+$/) });
  });

  it('gives the cursor to the publisher that the subscribers get', async () => {
    const hub = await startHub(HISTORY);
    const connection = connect(hub);
    await hub.subscribe(connection, 'kept:a', {});
    const { cursor } = await publish(hub, 'kept:a', 1);
    expect(connection.messages[1]!.cursor).toBe(cursor);
  });

  it('rejects where the history cannot be written, and delivers to nobody', async () => {
    const gate = new GatedAdapter();
    const hub = await startHub(HISTORY, gate.adapter);
    const connection = connect(hub);
    await hub.subscribe(connection, 'kept:a', {});
    gate.failing.add('append');
    await expect(publish(hub, 'kept:a', 1)).rejects.toThrow('append failed');
    expect(connection.types).toEqual(['subscribed']);
  });

  it('serves local subscribers before it hears of the others', async () => {
    const hub = await startHub();
    const connection = connect(hub);
    await hub.subscribe(connection, 'plain', {});
    const published = publish(hub, 'plain', 1);
    expect(connection.types).toEqual(['subscribed', 'm']);
    await published;
  });

  describe('with an idempotency key', () => {
    it.each(['plain', 'kept:a'])('publishes once on %s, and answers a repeat with the first outcome', async (channel) => {
      const hub = await startHub(HISTORY);
      const connection = connect(hub);
      await hub.subscribe(connection, channel, {});
      const first = await publish(hub, channel, 1, { idempotencyKey: 'k' });
      const second = await publish(hub, channel, 2, { idempotencyKey: 'k' });
      expect(first).not.toHaveProperty('duplicate');
      expect(second).toEqual({ delivered: first.delivered, cursor: first.cursor, duplicate: true });
      expect(connection.messages.slice(1).map(({ data }) => data)).toEqual([1]);
    });

    it('takes the same key on another channel for another', async () => {
      const hub = await startHub();
      await publish(hub, 'a', 1, { idempotencyKey: 'k' });
      expect(await publish(hub, 'b', 1, { idempotencyKey: 'k' })).not.toHaveProperty('duplicate');
    });

    it('publishes once when both attempts are made at the same time', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      const connection = connect(hub);
      await hub.subscribe(connection, 'kept:a', {});
      gate.closed = true;
      const both = Promise.all([1, 2].map((data) => publish(hub, 'kept:a', data, { idempotencyKey: 'k' })));
      await waitFor('both to be through', async () => {
        gate.letAllThrough();
        return Promise.race([both.then(() => true), settle().then(() => false)]);
      });
      const results = await both;
      expect(results.filter(({ duplicate }) => duplicate)).toHaveLength(1);
      expect(results[0]!.cursor).toBe(results[1]!.cursor);
      expect(connection.types).toEqual(['subscribed', 'm']);
    });

    it('lets a repeat publish when the first attempt failed', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      const connection = connect(hub);
      await hub.subscribe(connection, 'kept:a', {});
      gate.failing.add('append');
      await expect(publish(hub, 'kept:a', 1, { idempotencyKey: 'k' })).rejects.toThrow('append failed');
      gate.failing.clear();
      expect(await publish(hub, 'kept:a', 2, { idempotencyKey: 'k' })).not.toHaveProperty('duplicate');
      expect(connection.messages.slice(1).map(({ data }) => data)).toEqual([2]);
    });

    it('passes on why the first attempt failed, also when its key cannot be given back', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      gate.failing.add('release');
      const failed = hub.publisher.once('plain', 'k', () => Promise.reject(new Error('the work failed')));
      await expect(failed).rejects.toThrow('the work failed');
      hub.publisher.close();
    });

    it('does not let a repeat publish again when only the remembering of the first failed', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      const connection = connect(hub);
      await hub.subscribe(connection, 'plain', {});
      gate.failing.add('remember');
      expect(await publish(hub, 'plain', 1, { idempotencyKey: 'k' })).toEqual({ delivered: 'cluster' });

      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
      try {
        const repeat = publish(hub, 'plain', 2, { idempotencyKey: 'k' }).catch((error: unknown) => error);
        await jest.advanceTimersByTimeAsync(10_000);
        expect(await repeat).toMatchObject({ code: 'unavailable' });
      } finally {
        jest.useRealTimers();
        hub.publisher.close();
      }
      expect(connection.types).toEqual(['subscribed', 'm']);
    });

    it('does not keep the next attempt waiting for one that never learned whether it has the key', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      const claim = gate.adapter.claim.bind(gate.adapter);
      Object.assign(gate.adapter, {
        claim: async (...args: Parameters<typeof claim>) => {
          await claim(...args);
          throw new AdapterUnavailableError('claim', 'unknown', 'the answer was lost');
        },
      });
      gate.failing.add('release');
      await expect(publish(hub, 'plain', 1, { idempotencyKey: 'k' })).rejects.toMatchObject({ outcome: 'unknown' });
      Object.assign(gate.adapter, { claim });
      const next = publish(hub, 'plain', 2, { idempotencyKey: 'k' });
      gate.failing.clear();
      expect(await next).toEqual({ delivered: 'cluster' });
    });

    it('answers a repeat as soon as what came of the first can be remembered', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      gate.failing.add('remember');
      await publish(hub, 'plain', 1, { idempotencyKey: 'k' });
      const repeat = publish(hub, 'plain', 1, { idempotencyKey: 'k' });
      gate.failing.clear();
      expect(await repeat).toEqual({ delivered: 'cluster', duplicate: true });
    });

    it('lets a repeat publish as soon as the key of what failed can be given back', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      gate.failing.add('release');
      const failed = hub.publisher.once('plain', 'k', () => Promise.reject(new Error('the work failed')));
      await expect(failed).rejects.toThrow('the work failed');
      const repeat = publish(hub, 'plain', 1, { idempotencyKey: 'k' });
      gate.failing.clear();
      expect(await repeat).toEqual({ delivered: 'cluster' });
    });

    it('publishes once with history although the first attempt was not told what had become of it', async () => {
      const gate = new GatedAdapter();
      const hub = await startHub(HISTORY, gate.adapter);
      const connection = connect(hub);
      await hub.subscribe(connection, 'kept:a', {});
      const append = gate.adapter.append.bind(gate.adapter);
      Object.assign(gate.adapter, {
        append: async (...args: Parameters<typeof append>) => {
          await append(...args);
          throw new AdapterUnavailableError('append', 'unknown', 'the answer was lost');
        },
      });
      await expect(publish(hub, 'kept:a', 1, { idempotencyKey: 'k' })).rejects.toMatchObject({ outcome: 'unknown' });
      Object.assign(gate.adapter, { append });
      const { cursor } = connection.messages[1]!;
      expect(await publish(hub, 'kept:a', 1, { idempotencyKey: 'k' })).toEqual({ delivered: 'cluster', cursor, duplicate: true });
      expect(connection.types).toEqual(['subscribed', 'm']);
    });

    it('publishes nothing when the key cannot be looked up', async () => {
      const gate = new GatedAdapter();
      const hub = createHub(HISTORY, gate.adapter);
      await hub.start();
      gate.failing.add('claim');
      await expect(publish(hub, 'plain', 1, { idempotencyKey: 'k' })).rejects.toThrow('claim failed');
      expect(hub.stats.published).toBe(0);
    });
  });

  it('broadcasts to every connection, whatever it is subscribed to', async () => {
    const hub = await startHub();
    const connections = ['a', 'b'].map((id) => connect(hub, { id }));
    await hub.publisher.broadcast(hub.encode({ type: 'news' }));
    expect(connections.map(({ types }) => types)).toEqual([['news'], ['news']]);
    expect(hub.snapshotStats()).toMatchObject({ published: 1, delivered: 2 });
  });

  it('does not let a large broadcast hold up what is said to one connection', async () => {
    const hub = await startHub();
    const flushed: string[] = [];
    for (let i = 0; i < 2_000; i++) hub.register(new BufferedConnection(hub, `c${i}`, flushed));
    const late = new BufferedConnection(hub, 'late', flushed);
    const reply = hub.encode({ type: 'reply' });
    void hub.publisher.broadcast(hub.encode({ type: 'news' }));
    hub.register(late);
    late.send(reply);
    const last = hub.connections.get('c1999')!;
    last.send(reply);
    await waitFor('all', () => flushed.length === 2_001);
    expect(flushed.indexOf('late: reply')).toBeLessThan(200);
    expect(flushed.filter((line) => line.startsWith('c1999'))).toEqual(['c1999: news, reply']);
    expect(hub.snapshotStats().delivered).toBe(2_000);
  });
});

/** A connection with an outbox, as the transports have them, that writes down what is written for it. */
class BufferedConnection extends RecordingConnection {
  private readonly outbox: Outbox;

  constructor(hub: HubCore, id: string, written: string[]) {
    super(hub, { id });
    const types = (bytes: Buffer): string[] => [...bytes.toString('latin1').matchAll(/"type":"(\w+)"/g)].map(([, type]) => type!);
    const socket = {
      write: (bytes: Buffer) => written.push(`${id}: ${types(bytes).join(', ')}`) > 0,
      overflow: () => this.close(),
    };
    this.outbox = new Outbox(socket, hub.scheduler, hub.settings.limits, hub.outboxObserver);
  }

  override send(frame: Frame): boolean {
    return this.outbox.push(frame);
  }
}
