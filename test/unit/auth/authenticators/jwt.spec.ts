import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { SignJWT } from 'jose';
import { AuthenticationService } from '../../../../lib/auth/authentication.service';
import { jwt } from '../../../../lib/auth/authenticators/jwt';
import type { JwtOptions } from '../../../../lib/auth/authenticators/jwt-options';
import { AuthenticatorOptionsError } from '../../../../lib/auth/configuration.errors';
import { bearer, recordLogs, requestWith } from '../requests';

const SECRET = 'a-secret-of-more-than-thirty-two-bytes';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

function sign(
  claims: Record<string, unknown>,
  key: KeyObject | string = SECRET,
  alg = 'HS256',
  kid?: string,
): Promise<string> {
  const signer = new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) });
  return signer.sign(typeof key === 'string' ? Buffer.from(key) : key);
}

function forge(header: object, claims: object, secret?: string | Buffer): string {
  const body = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = secret === undefined ? '' : createHmac('sha256', secret).update(body).digest('base64url');
  return `${body}.${signature}`;
}

function check(options: JwtOptions, token: string) {
  return new AuthenticationService(jwt(options)).authenticate(requestWith(bearer(token)));
}

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const REFUSED = { valid: false, error: { code: 'invalid_credentials' } };

let logs: string[];
beforeEach(() => {
  logs = recordLogs();
});

describe('jwt with a secret', () => {
  it('gives the user by sub, all claims, and the expiry', async () => {
    const exp = inSeconds(60);
    const result = await check({ secret: SECRET }, await sign({ sub: 'alice', roles: ['admin'], exp }));
    expect(result).toEqual({
      valid: true,
      user: { id: 'alice', claims: { sub: 'alice', roles: ['admin'], exp }, expiresAt: exp * 1000 },
    });
    expect(result.valid && Object.isFrozen(result.user.claims['roles'])).toBe(true);
  });

  it('does not expire without exp', async () => {
    expect(await check({ secret: SECRET }, await sign({ sub: 'a' }))).toEqual({
      valid: true,
      user: { id: 'a', claims: { sub: 'a' } },
    });
  });

  it.each([
    ['expired', { sub: 'alice', exp: 1 }],
    ['not valid yet', { sub: 'alice', nbf: 99_999_999_999 }],
    ['without a sub', { name: 'alice' }],
    ['with an empty sub', { sub: '' }],
    ['with an exp that is no number', { sub: 'alice', exp: 'never' }],
  ])('refuses a token %s', async (_what, claims) => {
    expect(await check({ secret: SECRET }, await sign(claims))).toMatchObject(REFUSED);
    expect(logs).toEqual([]);
  });

  it('refuses another signature, and what is no JWT at all', async () => {
    const token = await sign({ sub: 'alice' }, `${SECRET}!`);
    for (const text of [token, 'text', 'a.b.c', '..', `${await sign({ sub: 'alice' })}x`]) {
      expect(await check({ secret: SECRET }, text)).toMatchObject(REFUSED);
    }
    expect(logs).toEqual([]);
  });

  it('accepts HS256 alone unless told otherwise', async () => {
    const token = await sign({ sub: 'alice' }, SECRET.repeat(2), 'HS512');
    expect(await check({ secret: SECRET.repeat(2) }, token)).toMatchObject(REFUSED);
    expect((await check({ secret: SECRET.repeat(2), algorithms: ['HS512'] }, token)).valid).toBe(true);
  });

  it.each(['none', 'None', 'NONE', ''])('refuses an unsigned token, alg %p', async (alg) => {
    expect(await check({ secret: SECRET }, forge({ alg }, { sub: 'root' }))).toMatchObject(REFUSED);
    expect(await check({ publicKey: rsa.publicKey }, forge({ alg }, { sub: 'root' }))).toMatchObject(REFUSED);
  });

  it('checks issuer and audience where they are set', async () => {
    const token = await sign({ sub: 'alice', iss: 'https://id.example.com', aud: ['chat', 'mail'] });
    const outcome = async (options: Partial<JwtOptions>): Promise<boolean> =>
      (await check({ secret: SECRET, ...options }, token)).valid;
    expect(await outcome({ issuer: 'https://id.example.com', audience: 'chat' })).toBe(true);
    expect(await outcome({ issuer: ['x', 'https://id.example.com'], audience: ['y', 'mail'] })).toBe(true);
    expect(await outcome({ issuer: 'https://other.example.com' })).toBe(false);
    expect(await outcome({ audience: 'billing' })).toBe(false);
  });

  it('lets the clocks differ as far as it is told, and the connection live as long', async () => {
    const exp = inSeconds(-20);
    const token = await sign({ sub: 'alice', exp });
    expect(await check({ secret: SECRET, clockTolerance: 1000 }, token)).toMatchObject(REFUSED);
    for (const clockTolerance of [600_000, '10m']) {
      const result = await check({ secret: SECRET, clockTolerance }, token);
      expect(result).toMatchObject({ valid: true, user: { expiresAt: exp * 1000 + 600_000 } });
    }
  });

  it('takes the user from the claim or the function it is told', async () => {
    const token = await sign({ sub: 's', uid: 7, org: { id: 'o' } });
    const idBy = async (userId: JwtOptions['userId']) => {
      const result = await check({ secret: SECRET, userId: userId! }, token);
      return result.valid ? result.user.id : 'refused';
    };
    expect(await idBy('uid')).toBe('7');
    expect(await idBy((claims) => `${(claims['org'] as { id: string }).id}:${String(claims['sub'])}`)).toBe('o:s');
    expect(await idBy('constructor')).toBe('refused');
    expect(await idBy(() => undefined)).toBe('refused');
    expect(
      await idBy(() => {
        throw new Error('no such organisation');
      }),
    ).toBe('refused');
  });
});

describe('jwt with a public key', () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });

  it.each([
    ['RSA', 'RS256', rsa],
    ['RSA-PSS', 'PS384', rsa],
    ['EC', 'ES256', ec],
    ['Ed25519', 'EdDSA', ed],
  ])('accepts %s in each form of the key', async (_kind, alg, pair) => {
    const token = await sign({ sub: 'alice' }, pair.privateKey, alg);
    const spki = pair.publicKey.export({ type: 'spki', format: 'pem' });
    for (const publicKey of [pair.publicKey, spki, Buffer.from(spki), pair.publicKey.export({ format: 'jwk' })]) {
      expect((await check({ publicKey }, token)).valid).toBe(true);
    }
  });

  it('refuses a token signed with the text of the public key as a secret', async () => {
    for (const secret of [pem, String(pem).trim(), rsa.publicKey.export({ type: 'spki', format: 'der' })]) {
      expect(await check({ publicKey: pem }, forge({ alg: 'HS256' }, { sub: 'root' }, secret))).toMatchObject(REFUSED);
    }
  });

  it('refuses another key of the same kind', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await check({ publicKey: ec.publicKey }, await sign({ sub: 'a' }, other.privateKey, 'ES256'))).toMatchObject(
      REFUSED,
    );
  });
});

describe('jwt with a key set', () => {
  let server: Server;
  let jwksUri: string;
  let fetched: number;
  let healthy: boolean;
  let keys: unknown;

  beforeEach(async () => {
    fetched = 0;
    healthy = true;
    keys = [{ ...ec.publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256' }];
    server = createServer((_request, response) => {
      fetched++;
      response.writeHead(healthy ? 200 : 500, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterEach(() => new Promise((resolve) => void server.close(resolve)));

  it('fetches the set once and accepts tokens by its keys', async () => {
    const service = new AuthenticationService(jwt({ jwksUri }));
    const request = requestWith(bearer(await sign({ sub: 'alice' }, ec.privateKey, 'ES256', 'key-1')));
    expect((await service.authenticate(request)).valid).toBe(true);
    expect((await service.authenticate(request)).valid).toBe(true);
    expect(fetched).toBe(1);
  });

  it('refuses an unknown key and a shared secret, quietly', async () => {
    const unknown = await sign({ sub: 'alice' }, rsa.privateKey, 'RS256', 'key-9');
    expect(await check({ jwksUri }, unknown)).toMatchObject(REFUSED);
    expect(await check({ jwksUri }, await sign({ sub: 'alice' }))).toMatchObject(REFUSED);
    expect(logs).toEqual([]);
  });

  const unavailable = { valid: false, error: { code: 'authentication_unavailable' } };

  it('cannot decide when the set cannot be fetched, warns without the token, and fetches it again later', async () => {
    healthy = false;
    const token = await sign({ sub: 'alice' }, ec.privateKey, 'ES256', 'key-1');
    const service = new AuthenticationService(jwt({ jwksUri }));
    const result = await service.authenticate(requestWith(bearer(token)));
    expect(result).toMatchObject(unavailable);
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatch(/^warn .*key set/);
    expect(inspect(result, { depth: null }) + logs[0]).not.toContain(token);
    healthy = true;
    expect((await service.authenticate(requestWith(bearer(token)))).valid).toBe(true);
  });

  it.each([
    ['nobody listens', async () => new Promise((resolve) => void server.close(resolve))],
    ['it is no key set', async () => Promise.resolve((keys = 'none'))],
  ])('cannot decide when %s', async (_what, damage) => {
    await damage();
    const token = await sign({ sub: 'alice' }, ec.privateKey, 'ES256', 'key-1');
    expect(await check({ jwksUri }, token)).toMatchObject(unavailable);
  });

  it('refuses what is no JWT without asking for the set', async () => {
    healthy = false;
    expect(await check({ jwksUri }, 'text')).toMatchObject(REFUSED);
    expect(fetched).toBe(0);
  });

  it('refuses, and warns, when userId throws', async () => {
    const userId = (): never => {
      throw new Error('no such table');
    };
    const token = await sign({ sub: 'alice' }, ec.privateKey, 'ES256', 'key-1');
    expect(await check({ jwksUri, userId }, token)).toMatchObject(REFUSED);
    expect(logs).toEqual([expect.stringMatching(/^warn .*no such table/)]);
  });
});

describe('the options of jwt', () => {
  it.each<[string, unknown, string]>([
    ['no key', {}, 'none is set'],
    ['two keys', { secret: SECRET, publicKey: rsa.publicKey }, 'secret and publicKey'],
    ['an empty secret', { secret: '' }, '`secret`'],
    ['a secret of another type', { secret: 42 }, '`secret`'],
    ['a public key as the secret', { secret: rsa.publicKey.export({ type: 'spki', format: 'pem' }) }, '`publicKey`'],
    ['an unreadable public key', { publicKey: 'ssh-rsa AAAA' }, '`publicKey`'],
    ['a key of no use', { publicKey: generateKeyPairSync('x25519').publicKey }, 'x25519'],
    ['a bad URL', { jwksUri: 'id.example.com/jwks' }, '`jwksUri`'],
    ['a URL of another scheme', { jwksUri: 'file:///etc/jwks' }, '`jwksUri`'],
    ['the algorithm none', { secret: SECRET, algorithms: ['HS256', 'none'] }, 'none'],
    ['no algorithm', { secret: SECRET, algorithms: [] }, '`algorithms`'],
    ['an asymmetric algorithm with a secret', { secret: SECRET, algorithms: ['RS256'] }, 'RS256'],
    ['HS256 with a public key', { publicKey: rsa.publicKey, algorithms: ['HS256'] }, 'HS256'],
    ['HS256 with a key set', { jwksUri: 'https://id.example.com/jwks', algorithms: ['HS256'] }, 'HS256'],
    ['an issuer of an unset variable', { secret: SECRET, issuer: '' }, '`issuer`'],
    ['an empty list of audiences', { secret: SECRET, audience: [] }, '`audience`'],
    ['a user id of no name', { secret: SECRET, userId: '' }, '`userId`'],
    ['a negative tolerance', { secret: SECRET, clockTolerance: -1 }, '`clockTolerance`'],
    ['a tolerance that is no duration', { secret: SECRET, clockTolerance: 'soon' }, '`clockTolerance`'],
  ])('refuse %s, and say which', (_what, options, named) => {
    const create = () => jwt(options as JwtOptions);
    expect(create).toThrow(AuthenticatorOptionsError);
    expect(create).toThrow(named);
    expect(create).not.toThrow(SECRET);
  });

  it('warn of a short secret without showing it', async () => {
    expect((await check({ secret: 'short-one' }, await sign({ sub: 'alice' }, 'short-one'))).valid).toBe(true);
    expect(logs).toEqual([expect.stringContaining('RFC 7518')]);
    expect(logs[0]).not.toContain('short-one');
  });
});
