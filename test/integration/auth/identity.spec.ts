import { type CanActivate, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import {
  BearerTokenGuard,
  type Connection,
  ConnectedClient,
  ConnectedUser,
  OnConnect,
  OnDisconnect,
  OnHandshake,
  OnMessage,
  OnSubscribe,
  type RealtimeUser,
} from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { refusal, TestClient } from '../../support/test-client';
import { bearer } from '../../support/tokens';

const claims = { roles: ['admin'], profile: { name: 'Alice' } };

@Injectable()
class Identities {
  readonly seen: [where: string, user: unknown][] = [];

  note(where: string, user: unknown): void {
    this.seen.push([where, user]);
  }
}

@Injectable()
class NotingGuard implements CanActivate {
  constructor(private readonly identities: Identities) {}

  canActivate(context: ExecutionContext): boolean {
    this.identities.note('guard', context.switchToWs().getClient<{ user: unknown }>().user);
    return true;
  }
}

@Injectable()
class Handlers {
  constructor(private readonly identities: Identities) {}

  @OnHandshake()
  handshake(@ConnectedUser() user: unknown): void {
    this.identities.note('handshake', user);
  }

  @OnConnect()
  connect(@ConnectedUser() user: unknown, @ConnectedClient() client: Connection): void {
    this.identities.note('connect', user);
    this.identities.note('client', client.user);
  }

  @OnSubscribe('room:{name}')
  subscribe(@ConnectedUser() user: unknown): void {
    this.identities.note('subscribe', user);
  }

  @OnMessage('whoami')
  @UseGuards(NotingGuard, BearerTokenGuard)
  whoami(@ConnectedUser() user: RealtimeUser): unknown {
    this.identities.note('message', user);
    return user;
  }

  @OnDisconnect()
  disconnect(@ConnectedUser() user: unknown): void {
    this.identities.note('disconnect', user);
  }
}

describe.each(PLATFORMS)('the identity of a connection, over %s', (platform) => {
  let app: TestApp;
  let issued: Record<string, unknown>;
  const expiresAt = Date.now() + 3_600_000;

  beforeEach(async () => {
    issued = structuredClone(claims);
    app = await createApp({
      platform,
      providers: [Identities, NotingGuard, Handlers],
      realtime: {
        auth: { authenticator: ({ token }) => (token === 'key' ? { id: 'alice', claims: issued, expiresAt } : undefined) },
      },
    });
  });
  afterEach(() => app.close());

  it('CHECKLIST 11: is there before @OnConnect and the same object everywhere, guards included', async () => {
    const client = await TestClient.connect(`${app.url}/ws`, bearer('key'));
    await client.subscribe('room:lobby');
    await client.request({ type: 'whoami' });
    await client.close();
    await app.close();
    const { seen } = app.app.get(Identities);
    expect(seen.map(([where]) => where)).toEqual([
      'handshake', 'connect', 'client', 'subscribe', 'guard', 'message', 'disconnect',
    ]);
    expect(seen[1]).toEqual(['connect', { id: 'alice', claims, expiresAt }]);
    const different = seen.slice(1).filter(([, user]) => user !== seen[1]![1]);
    expect(different).toEqual([]);
    expect(seen[0]![1]).toEqual(seen[1]![1]);
  });

  it('CHECKLIST 11: has claims that nobody can change, at any level', async () => {
    const client = await TestClient.connect(`${app.url}/ws`, bearer('key'));
    const user = app.app.get(Identities).seen[1]![1] as { id: string; claims: typeof claims };
    expect(() => (user.id = 'mallory')).toThrow(TypeError);
    expect(() => ((user.claims as { admin?: boolean }).admin = true)).toThrow(TypeError);
    expect(() => user.claims.roles.push('root')).toThrow(TypeError);
    expect(() => (user.claims.profile.name = 'Mallory')).toThrow(TypeError);
    // Nor by way of the object that they were made of.
    (issued.roles as string[]).push('root');
    expect((await client.request({ type: 'whoami' })).data).toEqual({ id: 'alice', claims, expiresAt });
  });

  it('cannot be told by the client', async () => {
    const client = await TestClient.connect(`${app.url}/ws?user=mallory`, {
      headers: { ...bearer('key').headers, 'x-user': 'mallory' },
    });
    const reply = await client.request({ type: 'whoami', user: 'mallory', from: 'mallory', data: { user: 'mallory' } });
    expect(reply.data).toMatchObject({ id: 'alice' });
  });

  it('is undefined without authentication, and a TokenGuard on a handler then refuses', async () => {
    const open = await createApp({
      platform,
      providers: [Identities, NotingGuard, Handlers],
      realtime: {
        // Everybody passes, known or not.
        guards: [OptionalGuard],
        auth: { authenticator: ({ token }) => (token === 'key' ? 'alice' : undefined) },
      },
    });
    const anonymous = await TestClient.connect(`${open.url}/ws`);
    expect(open.hub.connections()).toMatchObject([{ user: null }]);
    expect(await anonymous.request({ type: 'whoami' })).toMatchObject({ type: 'error', data: { code: 'unauthorized' } });
    const known = await TestClient.connect(`${open.url}/ws`, bearer('key'));
    expect(await known.request({ type: 'whoami' })).toMatchObject({ type: 'ack', data: { id: 'alice' } });
    await open.close();
  });

  it('reaches a global guard at the upgrade and on messages alike', async () => {
    const seen: unknown[] = [];
    const guard: CanActivate = {
      canActivate: (context) => {
        const carrier: { user?: { id: string } } =
          context.getType() === 'ws' ? context.switchToWs().getClient() : context.switchToHttp().getRequest();
        seen.push(`${context.getType()} ${carrier.user?.id}`);
        return true;
      },
    };
    const global = await createApp({
      platform,
      providers: [Identities, NotingGuard, Handlers, { provide: APP_GUARD, useValue: guard }],
      realtime: { auth: { authenticator: () => 'alice' } },
    });
    const client = await TestClient.connect(`${global.url}/ws`, bearer('any'));
    await client.request({ type: 'whoami' });
    expect(seen).toEqual(['http alice', 'ws alice', 'ws alice']);
    await global.close();
  });

  it.each([
    ['a bare id', 'dora', { id: 'dora', claims: {} }],
    ['a number', { id: 7 }, { id: '7', claims: {} }],
    ['a user of Passport', { userId: 'dora', email: 'd@example.com' }, { id: 'dora', claims: { email: 'd@example.com' } }],
    ['the payload of a token', { sub: 'dora', role: 'x' }, { id: 'dora', claims: { sub: 'dora', role: 'x' } }],
    ['an object without an id', { name: 'dora' }, undefined],
    ['nothing', undefined, undefined],
  ])('may be left in request.user by a guard of the application, as %s', async (_what, left, expected) => {
    const guard: CanActivate = {
      canActivate: (context) => {
        context.switchToHttp().getRequest<{ user: unknown }>().user = left;
        return true;
      },
    };
    const connected: unknown[] = [];
    @Injectable()
    class Connecting {
      @OnConnect()
      connect(@ConnectedUser() user: unknown): void {
        connected.push(user);
      }
    }
    const custom = await createApp({ platform, providers: [Connecting], realtime: { guards: [guard] } });
    await TestClient.connect(`${custom.url}/ws`);
    expect(connected).toEqual([expected]);
    expect(Object.isFrozen(connected[0])).toBe(true);
    await custom.close();
  });

  it('that a guard left and that makes no sense is a 401', async () => {
    const guard: CanActivate = {
      canActivate: (context) => {
        context.switchToHttp().getRequest<{ user: unknown }>().user = { id: 'dora', expiresAt: 'tomorrow' };
        return true;
      },
    };
    const failures: unknown[] = [];
    const logger = new RecordingLogger();
    const custom = await createApp({
      platform,
      realtime: { guards: [guard], auth: { onFailure: (_request, result) => failures.push(result) } },
      prepare: (nest) => nest.useLogger(logger),
    });
    expect((await refusal(`${custom.url}/ws`)).status).toBe(401);
    expect(failures).toMatchObject([{ valid: false, error: { code: 'invalid_credentials' } }]);
    expect(logger.text).toContain('expiresAt must be');
    await custom.close();
  });
});

/** Lets everybody in, and knows some of them. */
@Injectable()
class OptionalGuard extends BearerTokenGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    try {
      return await super.canActivate(context);
    } catch {
      return context.switchToHttp().getRequest<IncomingMessage>().headers.authorization === undefined;
    }
  }
}

describe.each(PLATFORMS)('limits.connectionsPerUser over %s', (platform) => {
  it('closes one connection too many with 4504, before anything else happens to it', async () => {
    const app = await createApp({
      platform,
      providers: [Identities, NotingGuard, Handlers],
      realtime: { auth: { authenticator: ({ token }) => token }, limits: { connectionsPerUser: 2 } },
    });
    const alices = [
      await TestClient.connect(`${app.url}/ws`, bearer('alice')),
      await TestClient.connect(`${app.url}/ws`, bearer('alice')),
    ];
    const { seen } = app.app.get(Identities);
    seen.length = 0;
    const third = await TestClient.connect(`${app.url}/ws`, { ...bearer('alice'), greeted: false });
    expect(await third.closed).toEqual({ code: 4504, reason: 'at most 2 connections for a user' });
    expect(third.frames).toEqual([]);
    expect(seen.map(([where]) => where)).toEqual(['handshake']);
    expect(app.hub.stats().clients).toBe(2);

    await (await TestClient.connect(`${app.url}/ws`, bearer('bob'))).close();
    await alices[0]!.close();
    await (await TestClient.connect(`${app.url}/ws`, bearer('alice'))).close();
    await app.close();
  });

  it('does not limit who is not known', async () => {
    const app = await createApp({ platform, realtime: { limits: { connectionsPerUser: 1 } } });
    await Promise.all([TestClient.connect(`${app.url}/ws`), TestClient.connect(`${app.url}/ws`)]);
    expect(app.hub.stats().clients).toBe(2);
    await app.close();
  });
});
