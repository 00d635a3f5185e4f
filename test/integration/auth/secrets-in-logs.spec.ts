import { type CanActivate, Injectable } from '@nestjs/common';
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import {
  anyOf,
  BearerTokenGuard,
  type Connection,
  ConnectedClient,
  OnConnect,
  OnHandshake,
  OnMessage,
  QueryTokenGuard,
  type RealtimeModuleOptions,
} from 'nestjs-realtime';
import { ConnectedSocket } from '@nestjs/websockets';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { rawUpgrade } from '../../support/raw-socket';
import { TestClient } from '../../support/test-client';

const SECRET = 's3cr3t-t0ken-of-alice';
const ENCODED = Buffer.from(SECRET).toString('base64url');

/** An error as careless programs make it, with everything they know. */
const careless = (request: IncomingMessage | undefined): Error =>
  new Error(`failed at ${request?.url} with ${inspect(request?.headers)}`, { cause: request?.headers });

@Injectable()
class Careless {
  @OnHandshake()
  handshake(@ConnectedSocket() request: IncomingMessage): void {
    if (request.headers['x-fail'] === 'handshake') throw careless(request);
  }

  @OnConnect()
  connect(@ConnectedClient() client: Connection): void {
    if (client.handshake.query['fail'] === 'connect') throw new Error(`failed at ${client.handshake.url}`);
  }

  @OnMessage('fail')
  fail(@ConnectedClient() client: Connection): void {
    throw new Error(`failed for ${inspect(client.handshake)}`);
  }
}

const carelessGuard: CanActivate = {
  canActivate: (context) => {
    const request = context.switchToHttp().getRequest<IncomingMessage & { user: unknown }>();
    if (request.headers['x-fail'] === 'guard') throw careless(request);
    if (request.headers['x-fail'] === 'identity') request.user = { id: 'a', expiresAt: SECRET };
    return true;
  },
};

/** All ways in which a token can be sent. */
const CARRIERS: [string, string, Record<string, string>][] = [
  ['the header', '/ws', { Authorization: `Bearer ${SECRET}` }],
  ['the subprotocol', '/ws', { 'Sec-WebSocket-Protocol': `realtime.v1, bearer.${ENCODED}` }],
  ['the query', `/ws?token=${SECRET}`, {}],
  ['an encoded query', `/ws?x=1&%74oken=${SECRET.replace('s', '%73')}`, {}],
];

describe.each(PLATFORMS)('tokens over %s', (platform) => {
  let app: TestApp;
  let logger: RecordingLogger;

  const start = async (realtime: RealtimeModuleOptions): Promise<void> => {
    logger = new RecordingLogger();
    app = await createApp({
      platform,
      providers: [Careless],
      realtime: {
        guards: [anyOf(BearerTokenGuard, QueryTokenGuard), carelessGuard],
        ...realtime,
        auth: {
          authenticator: ({ token }) => (token === SECRET ? 'alice' : undefined),
          ...realtime.auth,
        },
      },
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  afterEach(async () => {
    await app.close();
    for (const form of [SECRET, ENCODED, SECRET.replace('s', '%73')]) {
      assert.ok(!logger.text.includes(form), `a token is in the log:\n${logger.text}`);
    }
  });

  it.each(CARRIERS)('CHECKLIST 8: in %s are in no log when they are accepted', async (_where, path, headers) => {
    await start({});
    expect((await rawUpgrade(app.port, path, headers)).status).toBe(101);
  });

  it.each(CARRIERS)('CHECKLIST 8: in %s are in no log and no answer when they are refused', async (_where, path, headers) => {
    await start({ auth: { authenticator: () => undefined } });
    const answer = await rawUpgrade(app.port, path, headers);
    expect(answer.status).toBe(401);
    expect(answer.body).toBe('{"message":"Unauthorized","statusCode":401}');
  });

  it.each(CARRIERS)('in %s are in no log when everything fails', async (_where, path, headers) => {
    await start({
      auth: {
        authenticator: ({ token, request }) => {
          if (request?.headers['x-fail'] === 'authenticator') throw new Error(`no ${token} in ${inspect(request.headers)} ${request.url}`);
          return token === SECRET ? 'alice' : undefined;
        },
        onFailure: (request) => {
          throw careless(request);
        },
      },
      origins: (_origin, request) => {
        throw careless(request);
      },
    });
    const failures: [string, Record<string, string>, number][] = [
      ['authenticator', {}, 401],
      ['identity', {}, 401],
      ['guard', {}, 500],
      ['handshake', {}, 500],
      ['origin', { Origin: 'https://app.example.com' }, 403],
    ];
    for (const [fail, extra, status] of failures) {
      const answer = await rawUpgrade(app.port, path, { ...headers, ...extra, 'X-Fail': fail });
      expect([fail, answer.status]).toEqual([fail, status]);
      expect(answer.body).not.toContain(SECRET);
    }
    // That there was something to hide them in:
    expect(logger.text).toMatch(/error An upgrade failed.*failed at/s);
    expect(logger.text).toMatch(/error auth\.onFailure failed.*failed at/s);
    expect(logger.text).toMatch(/error The "origins" function failed.*failed at/s);
    expect(logger.text).toMatch(/warn The authenticator threw/);
    expect(logger.text).toContain('[redacted]');
  });

  it('in the query are not kept with the connection', async () => {
    await start({});
    const client = await TestClient.connect(`${app.url}/ws?token=${SECRET}&lang=en`);
    expect(await client.request({ type: 'fail' })).toMatchObject({ type: 'error', data: { code: 'internal' } });
    expect(inspect(app.hub.connections(), { depth: 10 })).not.toContain(SECRET);
    const failing = await TestClient.connect(`${app.url}/ws?token=${SECRET}&fail=connect`, { greeted: false });
    expect(await failing.closed).toMatchObject({ code: 1011 });
    expect(logger.text).toContain('token=[redacted]');
  });

  it('of a refresh are in no log and no answer', async () => {
    await start({
      auth: {
        authenticator: ({ token, source }) => {
          if (source === 'refresh') throw new Error(`no ${token}`);
          return 'alice';
        },
      },
    });
    const client = await TestClient.connect(`${app.url}/ws?token=other`);
    const reply = await client.request({ type: 'refresh', data: SECRET });
    expect(JSON.stringify(reply)).not.toContain(SECRET);
    expect(logger.text).toContain('The authenticator threw');
  });

  it('in the URL of a path that nobody has are not in the answer', async () => {
    await start({});
    const answer = await rawUpgrade(app.port, `/nowhere?token=${SECRET}`);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain(SECRET);
  });
});
