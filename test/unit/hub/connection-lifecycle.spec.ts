import { Logger } from '@nestjs/common';
import type { Connection } from '../../../lib/hub/connection';
import type { HubCore } from '../../../lib/hub/hub-core';
import type { DisconnectEvent, HubHooks } from '../../../lib/hub/hub-hooks';
import { deferred } from '../../support/wait-for';
import { connect, settle, startHub } from './hub-kit';

/** Hooks that write down their calls. */
class RecordingHooks implements HubHooks {
  readonly calls: string[] = [];
  connecting: Promise<void> = Promise.resolve();
  failing = false;

  async connected({ id }: Connection): Promise<void> {
    this.calls.push(`connected ${id}`);
    await this.connecting;
  }

  disconnected({ id }: Connection, { code, reason }: DisconnectEvent): Promise<void> {
    return this.record(`disconnected ${id} ${code} ${reason}`);
  }

  unsubscribed({ id }: Connection, channel: string): Promise<void> {
    return this.record(`unsubscribed ${id} ${channel}`);
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  private async record(call: string): Promise<void> {
    this.calls.push(call);
    if (this.failing) throw new Error('a hook failed');
  }
}

describe('ConnectionLifecycle', () => {
  let hub: HubCore;
  let hooks: RecordingHooks;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    hub = await startHub();
    hub.lifecycle.hooks = hooks = new RecordingHooks();
  });
  afterEach(() => Logger.overrideLogger(['log', 'warn', 'error']));

  it('runs the end of a connection once, its subscriptions before itself', async () => {
    const connection = connect(hub, { id: 'a' });
    await hub.subscribe(connection, 'x', {});
    await hub.subscribe(connection, 'y', {});
    for (let i = 0; i < 3; i++) hub.lifecycle.end(connection, { code: 4008, reason: 'slow' });
    await hub.lifecycle.settled();
    expect(hooks.calls).toEqual(['unsubscribed a x', 'unsubscribed a y', 'disconnected a 4008 slow']);
  });

  it('takes the connection out at once, before any hook has run', async () => {
    const connection = connect(hub);
    await hub.subscribe(connection, 'x', {});
    hub.lifecycle.end(connection, { code: 1000, reason: '' });
    expect(hub.snapshotStats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
    expect(connection.channels).toEqual([]);
  });

  it('runs the end after the connect handlers, however soon the connection ended', async () => {
    const gate = deferred();
    hooks.connecting = gate.promise;
    const connection = connect(hub, { id: 'a' });
    const begun = hub.lifecycle.begin(connection);
    hub.lifecycle.end(connection, { code: 1006, reason: '' });
    await settle();
    expect(hooks.calls).toEqual(['connected a']);
    gate.resolve();
    await begun;
    await hub.lifecycle.settled();
    expect(hooks.calls).toEqual(['connected a', 'disconnected a 1006 ']);
  });

  it('passes on what a connect handler refuses with, and can end all the same', async () => {
    hooks.connecting = Promise.reject(new Error('not you'));
    const connection = connect(hub, { id: 'a' });
    await expect(hub.lifecycle.begin(connection)).rejects.toThrow('not you');
    hub.lifecycle.end(connection, { code: 4503, reason: '' });
    await hub.lifecycle.settled();
    expect(hooks.calls).toContain('disconnected a 4503 ');
  });

  it('does not let a hook that fails keep the others from running', async () => {
    hooks.failing = true;
    const connection = connect(hub, { id: 'a' });
    await hub.subscribe(connection, 'x', {});
    await hub.subscribe(connection, 'y', {});
    hub.lifecycle.end(connection, { code: 1000, reason: '' });
    await expect(hub.lifecycle.settled()).resolves.toBeUndefined();
    expect(hooks.calls).toHaveLength(3);
  });

  it('runs the hook of an unsubscription once, and not again at the end', async () => {
    const connection = connect(hub, { id: 'a' });
    await hub.subscribe(connection, 'x', {});
    expect([hub.unsubscribe(connection, 'x'), hub.unsubscribe(connection, 'x')]).toEqual([true, false]);
    connection.close();
    await hub.lifecycle.settled();
    expect(hooks.calls).toEqual(['unsubscribed a x', 'disconnected a 1000 ']);
  });

  it('is settled when also those ends are through that began while it waited', async () => {
    const gate = deferred();
    const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
    hooks.disconnected = async ({ id }) => {
      hooks.calls.push(`ending ${id}`);
      if (id === 'a') {
        await gate.promise;
        b!.close();
      }
      hooks.calls.push(`ended ${id}`);
    };
    a!.close();
    const settled = hub.lifecycle.settled().then(() => hooks.calls.push('settled'));
    gate.resolve();
    await settled;
    expect(hooks.calls).toEqual(['ending a', 'ended a', 'ending b', 'ended b', 'settled']);
  });
});
