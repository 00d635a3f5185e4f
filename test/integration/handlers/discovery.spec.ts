import { Controller, Injectable, Module, ParseIntPipe, UseGuards, type CanActivate } from '@nestjs/common';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import {
  Channel,
  ChannelParam,
  ChannelPatternError,
  ConnectedClient,
  ConnectedUser,
  type Connection,
  DuplicateMessageTypeError,
  DuplicatePatternError,
  HandshakeQuery,
  OnConnect,
  OnDisconnect,
  OnHandshake,
  OnMessage,
  OnSubscribe,
  OnUnsubscribe,
  ReservedMessageTypeError,
  SubscribeChannel,
} from 'nestjs-realtime';
import { createApp as start, PLATFORMS } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

/** Every decorator once, to be provided as a provider and as a controller. */
abstract class Everything {
  readonly calls: string[] = [];

  @OnHandshake()
  handshake(@HandshakeQuery('name') name: string): string[] {
    this.calls.push(`handshake ${name}`);
    return ['room:hall'];
  }

  @OnConnect()
  connect(@ConnectedClient() client: Connection, @HandshakeQuery('name') name: string): void {
    this.calls.push(`connect ${name} ${client.transport}`);
  }

  @OnSubscribe('room:{name}')
  join(@ChannelParam('name') name: string, @Channel() channel: string): unknown {
    this.calls.push(`join ${channel}`);
    return { welcome: name };
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody('text') text: string, @ConnectedSocket() client: Connection): unknown {
    this.calls.push(`say ${text}`);
    return { text, channels: client.channels.length };
  }

  @OnUnsubscribe('room:{name}')
  leave(@ChannelParam('name') name: string): void {
    this.calls.push(`leave ${name}`);
  }

  @OnMessage('ask')
  ask(@MessageBody() body: unknown, @ConnectedUser() user: unknown, @Channel() channel: unknown): unknown {
    return { body, user: user ?? null, channel: channel ?? null };
  }

  @OnDisconnect()
  disconnect(@MessageBody() event: { code: number; reason: string }): void {
    this.calls.push(`disconnect ${event.code} ${event.reason}`);
  }
}

@Injectable()
class AsProvider extends Everything {}

@Controller()
class AsController extends Everything {}

describe.each([
  ['a provider', { providers: [AsProvider] }, AsProvider],
  ['a controller', { controllers: [AsController] }, AsController],
])('handlers in %s', (_, metadata, token) => {
  const createApp = testApps();

  it('CHECKLIST 26: are all called, in the order of a connection’s life', async () => {
    const app = await createApp(metadata);
    const { calls } = app.app.get<Everything>(token);
    const client = await TestClient.connect(`${app.url}/ws?name=alice`, { greeted: false });
    expect((await client.next('connected')).data.channels).toEqual(['room:hall']);
    expect(await client.next('subscribed')).toMatchObject({ channel: 'room:hall', data: { welcome: 'hall' } });

    expect((await client.request({ type: 'ask', data: [1] })).data).toEqual({ body: [1], user: null, channel: null });
    await client.request({ type: 'chat', channel: 'room:hall', data: { text: 'hi' } });
    expect((await client.next('chat')).data).toEqual({ text: 'hi', channels: 1 });
    await client.request({ type: 'unsubscribe', channel: 'room:hall' });
    await client.close();
    await waitFor('the disconnect', () => calls.includes('disconnect 1005 '));
    expect(calls).toEqual([
      'handshake alice',
      'connect alice websocket',
      'join room:hall',
      'say hi',
      'leave hall',
      'disconnect 1005 ',
    ]);
  });
});

describe.each(PLATFORMS)('finding handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  it('one method may have several decorators', async () => {
    @Injectable()
    class Handlers {
      @SubscribeChannel('a:{name}')
      @SubscribeChannel('b:{name}')
      @OnMessage('direct')
      say(@MessageBody() body: unknown, @Channel() channel: string | undefined): unknown {
        return { body, channel: channel ?? null };
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const channel of ['a:1', 'b:1']) {
      await client.subscribe(channel);
      await client.request({ type: 'chat', channel, data: 'hi' });
      expect((await client.next('chat')).data).toEqual({ body: 'hi', channel });
    }
    expect((await client.request({ type: 'direct', data: 'hi' })).data).toEqual({ body: 'hi', channel: null });
  });

  it('a class in two modules has one set of handlers', async () => {
    @Injectable()
    class Shared {
      @OnMessage('shared')
      answer(): string {
        return 'once';
      }
    }
    @Module({ providers: [Shared] })
    class One {}
    @Module({ providers: [Shared] })
    class Two {}
    const app = await createApp({ imports: [One, Two] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'shared' })).data).toBe('once');
  });

  it('an alias does not double the handlers of what it stands for', async () => {
    @Injectable()
    class Real {
      @OnMessage('real')
      answer(): string {
        return 'once';
      }
    }
    const app = await createApp({ providers: [Real, { provide: 'ALIAS', useExisting: Real }] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'real' })).data).toBe('once');
  });

  it('a provider made by a factory has its handlers found', async () => {
    class Made {
      constructor(private readonly answerWith: string) {}
      @OnMessage('made')
      answer(): string {
        return this.answerWith;
      }
    }
    const app = await createApp({ providers: [{ provide: 'MADE', useFactory: () => new Made('by hand') }] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'made' })).data).toBe('by hand');
  });

  it('a guard class that Nest would leave out stops the start', async () => {
    @Injectable()
    class Guard implements CanActivate {
      canActivate(): boolean {
        return false;
      }
    }
    class Made {
      @OnMessage('made')
      @UseGuards(Guard)
      answer(): string {
        return 'unguarded';
      }
    }
    const starting = start({ platform, providers: [{ provide: 'MADE', useFactory: () => new Made() }] });
    await expect(starting).rejects.toMatchObject({ name: 'UnresolvableEnhancerError', enhancer: 'Guard', handler: 'Made.answer' });
  });
});

describe.each(PLATFORMS)('CHECKLIST 26: channel patterns of handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  @Injectable()
  class Patterns {
    @SubscribeChannel('*')
    any(): string {
      return '*';
    }
    @SubscribeChannel('room:*')
    anyRoom(): string {
      return 'room:*';
    }
    @SubscribeChannel('room:{name}')
    room(@ChannelParam('name') name: string): string {
      return `room:{name} ${name}`;
    }
    @SubscribeChannel('room:vip-{name}')
    vip(@ChannelParam('name') name: string): string {
      return `room:vip-{name} ${name}`;
    }
    @SubscribeChannel('room:lobby')
    lobby(): string {
      return 'room:lobby';
    }
    @SubscribeChannel('room:{name}:{thread}')
    thread(@ChannelParam('name') name: string, @ChannelParam('thread', ParseIntPipe) thread: number): unknown {
      return { name, thread };
    }
  }

  it.each([
    ['elsewhere', '*'],
    ['room:a:b:c', 'room:*'],
    ['room:a', 'room:{name} a'],
    ['room:vip-a', 'room:vip-{name} a'],
    ['room:lobby', 'room:lobby'],
    ['room:a:7', { name: 'a', thread: 7 }],
  ])('the most specific one takes %s', async (channel, expected) => {
    const app = await createApp({ providers: [Patterns] });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe(channel);
    await client.request({ type: 'say', channel });
    expect((await client.next('say')).data).toEqual(expected);
  });

  it('a pipe refuses a parameter that is not what it should be', async () => {
    const app = await createApp({ providers: [Patterns] });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('room:a:x');
    expect(await client.request({ type: 'say', channel: 'room:a:x' })).toMatchObject({
      type: 'error',
      channel: 'room:a:x',
      data: { code: 'bad_request', message: 'Validation failed (numeric string is expected)' },
    });
  });

  class Base {
    @SubscribeChannel('same:{a}')
    one(): void {}
  }
  class EqualPatterns {
    @SubscribeChannel('same:{b}')
    two(): void {}
  }
  class EqualSubscribe {
    @OnSubscribe('x:{a}')
    one(): void {}
    @OnSubscribe('x:{b}')
    two(): void {}
  }
  class EqualUnsubscribe {
    @OnUnsubscribe('x:*')
    one(): void {}
    @OnUnsubscribe('x:*')
    two(): void {}
  }
  class EqualMessages {
    @OnMessage('ask')
    one(): void {}
    @OnMessage('ask')
    two(): void {}
  }
  class Reserved {
    @OnMessage('subscribe')
    one(): void {}
  }
  class NoPattern {
    @SubscribeChannel('room:{name')
    one(): void {}
  }

  it.each([
    ['@SubscribeChannel in two classes', [Base, EqualPatterns], DuplicatePatternError],
    ['@OnSubscribe', [EqualSubscribe], DuplicatePatternError],
    ['@OnUnsubscribe', [EqualUnsubscribe], DuplicatePatternError],
    ['@OnMessage', [EqualMessages], DuplicateMessageTypeError],
    ['a reserved type', [Reserved], ReservedMessageTypeError],
    ['a malformed pattern', [NoPattern], ChannelPatternError],
  ])('what cannot stand stops the start: %s', async (_, providers, error) => {
    await expect(start({ platform, providers })).rejects.toBeInstanceOf(error);
  });

  it('an @OnSubscribe and a @SubscribeChannel handler may share a pattern', async () => {
    class Room {
      @OnSubscribe('room:{name}')
      join(): string {
        return 'joined';
      }
      @SubscribeChannel('room:{name}')
      say(): string {
        return 'said';
      }
    }
    const app = await createApp({ providers: [Room] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.subscribe('room:a')).data).toBe('joined');
  });
});
