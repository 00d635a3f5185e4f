import { ChannelCommands } from '../../../lib/channels/channel-commands';
import { HandlerRegistry } from '../../../lib/channels/handler-registry';
import { GatedAdapter } from '../hub/gated-adapter';
import { connect, createHub, settle } from '../hub/hub-kit';

describe('ChannelCommands', () => {
  it('answers a second subscribe whose subscription was ended meanwhile with a conflict', async () => {
    const gate = new GatedAdapter();
    const hub = createHub({ channels: { 'room:a': {} } }, gate.adapter);
    await hub.start();
    const commands = new ChannelCommands(hub, new HandlerRegistry());
    const connection = connect(hub);
    gate.closed = true;
    const first = commands.subscribe(connection, { type: 'subscribe', channel: 'room:a', id: 1 });
    await settle();
    const second = commands.subscribe(connection, { type: 'subscribe', channel: 'room:a', id: 2 }).catch((error: unknown) => error);
    hub.unsubscribe(connection, 'room:a');
    while (gate.letAllThrough()) await settle();
    expect(await second).toMatchObject({ code: 'conflict', message: expect.stringContaining('Subscribe once more') });
    await expect(first).resolves.toBeUndefined();
    expect(connection.channels).toEqual([]);
  });
});
