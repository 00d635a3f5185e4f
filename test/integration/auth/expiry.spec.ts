import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import {
  type AuthenticatorAnswer,
  ConnectedUser,
  type DisconnectEvent,
  OnDisconnect,
  OnMessage,
  RealtimeContext,
  realtimeContext,
} from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { TestClient } from '../../support/test-client';
import { bearer } from '../../support/tokens';
import { waitFor } from '../../support/wait-for';

/** Long enough for a slow machine to connect and refresh in. */
const SOON = 2_000;
const HOUR = 3_600_000;

const Context = createParamDecorator((_: unknown, context: ExecutionContext) => realtimeContext(context));

@Injectable()
class Lives {
  readonly ended: (DisconnectEvent | undefined)[] = [];

  @OnMessage('whoami')
  whoami(@ConnectedUser() user: unknown): unknown {
    return user;
  }

  @OnDisconnect()
  disconnect(@Context() context: RealtimeContext): void {
    this.ended.push(context.disconnect);
  }
}

describe.each(PLATFORMS)('the end of a token, over %s', (platform) => {
  let app: TestApp;
  let tokens: Map<string, AuthenticatorAnswer>;
  let soon: number;

  beforeEach(async () => {
    app = await createApp({
      platform,
      providers: [Lives],
      realtime: {
        auth: {
          authenticator: ({ token }) => {
            if (token === 'broken') throw new Error('no database');
            return tokens.get(token ?? '');
          },
        },
      },
    });
    soon = Date.now() + SOON;
    tokens = new Map<string, AuthenticatorAnswer>([
      ['short', { id: 'alice', claims: { plan: 'free' }, expiresAt: soon }],
      ['long', { id: 'alice', claims: { plan: 'paid' }, expiresAt: soon + HOUR }],
      ['for ever', { id: 'alice' }],
      ['next century', { id: 'alice', expiresAt: soon + 100 * 365 * 24 * HOUR }],
      ['old', { id: 'alice', expiresAt: soon - HOUR }],
      ['bob', { id: 'bob' }],
    ]);
  });
  afterEach(() => app.close());

  const connect = (token: string): Promise<TestClient> => TestClient.connect(`${app.url}/ws`, bearer(token));

  it('closes the connection with 4005, and not before; what is refused as a refresh does not put it off', async () => {
    const client = await TestClient.connect(`${app.url}/ws`, { ...bearer('short'), greeted: false });
    const earlier = await connect('long');
    expect((await client.next('connected')).data.expiresAt).toBe(soon);
    expect(await client.request({ type: 'refresh', data: 'bob' })).toMatchObject({ data: { code: 'forbidden' } });
    expect(await client.request({ type: 'refresh', data: 'old' })).toMatchObject({ data: { code: 'unauthorized' } });
    // A refresh may bring it nearer, too.
    expect(await earlier.request({ type: 'refresh', data: 'short' })).toMatchObject({ data: { expiresAt: soon } });

    const expired = { code: 4005, reason: 'token expired' };
    expect(await client.closed).toEqual(expired);
    expect(Date.now()).toBeGreaterThanOrEqual(soon);
    expect(await earlier.closed).toEqual(expired);
    await waitFor('the hooks', () => app.app.get(Lives).ended.length === 2);
    expect(app.app.get(Lives).ended).toEqual([expired, expired]);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('is put off by a refresh for the same user, whose new claims count from then on', async () => {
    const witness = await connect('short');
    const longer = await connect('short');
    const forEver = await connect('short');
    const lasting = await connect('next century');
    const reply = await longer.request({ type: 'refresh', data: 'long' });
    expect(reply).toMatchObject({ type: 'refreshed', data: { expiresAt: soon + HOUR } });
    expect(await forEver.request({ type: 'refresh', data: 'for ever' })).toMatchObject({ type: 'refreshed', data: {} });

    expect(await witness.closed).toMatchObject({ code: 4005 });
    const { data } = await longer.request({ type: 'whoami' });
    expect(data).toEqual({ id: 'alice', claims: { plan: 'paid' }, expiresAt: soon + HOUR });
    for (const client of [forEver, lasting]) expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  it.each([
    ['for another user', 'bob', 'forbidden'],
    ['that is unknown', 'nobody', 'unauthorized'],
    ['that has ended', 'old', 'unauthorized'],
    ['that the authenticator fails at', 'broken', 'unauthorized'],
    ['that is empty', '', 'bad_request'],
    ['that is blank', '   ', 'unauthorized'],
    ['that is too long', 'x'.repeat(9_000), 'unauthorized'],
    ['that is no text', { token: 'long' }, 'bad_request'],
    ['that is missing', undefined, 'bad_request'],
  ])('is not put off by a token %s, nor is the user another', async (_what, data, code) => {
    const client = await connect('long');
    const reply = await client.request({ type: 'refresh', data });
    expect(reply).toMatchObject({ type: 'error', data: { code } });
    expect(JSON.stringify(reply)).not.toContain('xxxx');
    const user = (await client.request({ type: 'whoami' })).data;
    expect(user).toEqual({ id: 'alice', claims: { plan: 'paid' }, expiresAt: soon + HOUR });
  });

  it('is not put off for a connection that no token was for', async () => {
    const open = await createApp({ platform, realtime: { guards: [leaving({ id: 'alice', expiresAt: soon + HOUR })] } });
    const client = await TestClient.connect(`${open.url}/ws`);
    const reply = await client.request({ type: 'refresh', data: 'long' });
    expect(reply).toMatchObject({ type: 'error', data: { code: 'bad_request' } });
    await open.close();
  });

  it('counts for what a guard of the application left too, and when it passes while one thinks', async () => {
    const expiresAt = new Date(Date.now() - 1);
    const open = await createApp({ platform, realtime: { guards: [leaving({ id: 'alice', expiresAt })] } });
    const client = await TestClient.connect(`${open.url}/ws`, { greeted: false });
    expect(await client.closed).toMatchObject({ code: 4005 });
    await open.close();
  });
});

function leaving(user: unknown): CanActivate {
  return {
    canActivate: (context) => {
      context.switchToHttp().getRequest<{ user: unknown }>().user = user;
      return true;
    },
  };
}
