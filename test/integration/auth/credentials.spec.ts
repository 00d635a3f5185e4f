import {
  anyOf,
  apiKeys,
  type AuthResult,
  BearerTokenGuard,
  InvalidCredentialsError,
  MalformedCredentialsError,
  MissingCredentialsError,
  QueryTokenGuard,
  type RealtimeModuleOptions,
} from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { rawUpgrade } from '../../support/raw-socket';
import { refusal, TestClient } from '../../support/test-client';
import { bearer, bearerProtocols } from '../../support/tokens';

describe.each(PLATFORMS)('credentials over %s', (platform) => {
  let app: TestApp;
  let failures: AuthResult[];

  const start = async (guards: RealtimeModuleOptions['guards']): Promise<void> => {
    failures = [];
    app = await createApp({
      platform,
      realtime: {
        guards,
        auth: {
          authenticator: apiKeys({ 'key-a': 'alice', 'schlüssel': 'bob' }),
          onFailure: (_request, result) => failures.push(result),
        },
      },
    });
  };
  afterEach(() => app.close());

  const userOf = async (...args: Parameters<typeof TestClient.connect>): Promise<unknown> => {
    const client = await TestClient.connect(args[0], { ...args[1], greeted: false });
    const { data } = await client.next('connected');
    await client.close();
    return data.user;
  };
  const failureOf = (): unknown => {
    const [failure] = failures.splice(0);
    return failure?.valid === false ? failure.error.constructor : undefined;
  };

  describe('in the header', () => {
    beforeEach(() => start([BearerTokenGuard]));

    it.each(['Bearer key-a', 'bearer key-a', 'BEARER key-a', 'Bearer   key-a  ', 'bEaReR key-a'])(
      'CHECKLIST 7: %j is the token key-a',
      async (authorization) => {
        expect(await userOf(`${app.url}/ws`, { headers: { authorization } })).toBe('alice');
      },
    );

    it.each([
      [undefined, MissingCredentialsError],
      ['', MissingCredentialsError],
      ['Basic a2V5LWE=', MalformedCredentialsError],
      ['Bearer', MalformedCredentialsError],
      ['Bearer    ', MalformedCredentialsError],
      ['key-a', MalformedCredentialsError],
      ['Bearer\tkey-a', MalformedCredentialsError],
      ['Bearerkey-a', MalformedCredentialsError],
      [`Bearer ${'x'.repeat(8193)}`, MalformedCredentialsError],
      ['Bearer key-b', InvalidCredentialsError],
      ['Bearer key-a key-a', InvalidCredentialsError],
      ['Bearer KEY-A', InvalidCredentialsError],
    ])('CHECKLIST 7: %j is one of three distinguishable errors, and one 401 for the client', async (value, error) => {
      const answer = await rawUpgrade(app.port, '/ws', { Authorization: value });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(JSON.parse(answer.body)).toEqual({ statusCode: 401, message: 'Unauthorized' });
      expect(failureOf()).toBe(error);
    });
  });

  describe('in the subprotocol', () => {
    beforeEach(() => start([BearerTokenGuard]));

    it('let a browser in, which is told realtime.v1 and not its own token', async () => {
      const client = await TestClient.connect(`${app.url}/ws`, { protocols: bearerProtocols('key-a') });
      expect(client.socket.protocol).toBe('realtime.v1');
      expect(app.hub.connections()).toMatchObject([{ user: 'alice' }]);
    });

    it('may be any text', async () => {
      expect(await userOf(`${app.url}/ws`, { protocols: bearerProtocols('schlüssel') })).toBe('bob');
    });

    it('stand in for a header of another scheme, which a proxy may have wanted', async () => {
      const headers = { authorization: 'Basic cHJveHk6cHJveHk=' };
      expect(await userOf(`${app.url}/ws`, { headers, protocols: bearerProtocols('key-a') })).toBe('alice');
    });

    it('come after the header', async () => {
      const connecting = refusal(`${app.url}/ws`, { ...bearer('key-b'), protocols: bearerProtocols('key-a') });
      expect((await connecting).status).toBe(401);
      expect(failureOf()).toBe(InvalidCredentialsError);
    });

    it.each([
      ['bearer.', MalformedCredentialsError],
      ['bearer.a2V5LWE=', MalformedCredentialsError],
      ['bearer.a', MalformedCredentialsError],
      ['bearer._w', MalformedCredentialsError],
      ['bearer.a2V5LWI', InvalidCredentialsError],
      ['bearer.a2V5LWE, bearer.a2V5LWE', MalformedCredentialsError],
      ['Bearer.a2V5LWE', MissingCredentialsError],
    ])('are base64url of UTF-8, once: not %s', async (entry, error) => {
      const answer = await rawUpgrade(app.port, '/ws', { 'Sec-WebSocket-Protocol': `realtime.v1, ${entry}` });
      expect(answer.status).toBe(401);
      expect(failureOf()).toBe(error);
    });
  });

  describe('in the query', () => {
    it('CHECKLIST 8: are not looked at unless QueryTokenGuard is listed', async () => {
      await start([BearerTokenGuard]);
      expect((await refusal(`${app.url}/ws?token=key-a`)).status).toBe(401);
      expect(failureOf()).toBe(MissingCredentialsError);
    });

    it('CHECKLIST 8: are looked at, and nothing else is, when QueryTokenGuard is listed', async () => {
      await start([QueryTokenGuard]);
      expect(await userOf(`${app.url}/ws?token=key-a`)).toBe('alice');
      expect(await userOf(`${app.url}/ws/?x=1&token=key%2Da`)).toBe('alice');
      expect(await userOf(`${app.url}/ws?token=schl%C3%BCssel`)).toBe('bob');
      expect((await refusal(`${app.url}/ws`, bearer('key-a'))).status).toBe(401);
      expect(failureOf()).toBe(MissingCredentialsError);
    });

    it.each([
      ['?token=', MalformedCredentialsError],
      ['?token=key-a&token=key-a', MalformedCredentialsError],
      ['?token=key-b', InvalidCredentialsError],
      ['?Token=key-a', MissingCredentialsError],
      ['', MissingCredentialsError],
    ])('%s is refused', async (query, error) => {
      await start([QueryTokenGuard]);
      expect((await refusal(`${app.url}/ws${query}`)).status).toBe(401);
      expect(failureOf()).toBe(error);
    });
  });

  describe('in either place, by anyOf', () => {
    beforeEach(() => start([anyOf(BearerTokenGuard, QueryTokenGuard)]));

    it('let in who has one', async () => {
      expect(await userOf(`${app.url}/ws`, bearer('key-a'))).toBe('alice');
      expect(await userOf(`${app.url}/ws?token=key-a`)).toBe('alice');
      expect(await userOf(`${app.url}/ws?token=key-a`, bearer('wrong'))).toBe('alice');
    });

    it.each([
      ['', {}, MissingCredentialsError],
      ['?token=wrong', {}, InvalidCredentialsError],
      ['', bearer('wrong'), InvalidCredentialsError],
      ['', { headers: { authorization: 'Basic x' } }, MalformedCredentialsError],
      ['?token=', bearer('wrong'), InvalidCredentialsError],
    ])('refuse by the most telling of the reasons: %j %j', async (query, options, error) => {
      expect((await refusal(`${app.url}/ws${query}`, options)).status).toBe(401);
      expect(failures).toHaveLength(1);
      expect(failureOf()).toBe(error);
    });
  });

  it('are required even when no guard that asks for them is listed', async () => {
    await start([]);
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    expect((await refusal(`${app.url}/ws?token=key-a`)).status).toBe(401);
    expect(await userOf(`${app.url}/ws`, bearer('key-a'))).toBe('alice');
  });
});
