import crypto from 'node:crypto';
import { AuthenticationService } from '../../../../lib/auth/authentication.service';
import { apiKeys } from '../../../../lib/auth/authenticators/api-keys';
import { AuthenticatorOptionsError } from '../../../../lib/auth/configuration.errors';
import type { UserLike } from '../../../../lib/auth/connected-user';
import { bearer, requestWith } from '../requests';

const KEYS: Record<string, UserLike> = {
  'secret-key-1': 'user-alice',
  'secret-key-2': { id: 'user-bob', claims: { plan: 'pro' } },
  'secret-key-3': 'user-carol',
};

function userOf(key: string, keys = KEYS) {
  return new AuthenticationService(apiKeys(keys)).authenticate(requestWith(bearer(key)));
}

describe('apiKeys', () => {
  it('names the user of a known key', async () => {
    expect(await userOf('secret-key-1')).toEqual({ valid: true, user: { id: 'user-alice', claims: {} } });
    expect(await userOf('secret-key-2')).toEqual({ valid: true, user: { id: 'user-bob', claims: { plan: 'pro' } } });
  });

  it.each(['secret-key-', 'secret-key-11', 'SECRET-KEY-1', 'constructor', '__proto__', 'toString'])(
    'refuses %p',
    async (key) => {
      expect(await userOf(key)).toMatchObject({ valid: false, error: { code: 'invalid_credentials' } });
    },
  );

  it('compares a token with every key, whichever matches', async () => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    for (const key of ['secret-key-1', 'secret-key-3', 'unknown']) {
      compare.mockClear();
      await userOf(key);
      expect(compare).toHaveBeenCalledTimes(3);
      expect(compare.mock.calls.every(([a, b]) => a.byteLength === 32 && b.byteLength === 32)).toBe(true);
    }
    compare.mockRestore();
  });

  it('accepts nobody with an empty map', async () => {
    expect((await userOf('secret-key-1', {})).valid).toBe(false);
  });

  it('does not change with the map it was given', async () => {
    const keys: Record<string, UserLike> = { 'secret-key-1': 'user-alice' };
    const service = new AuthenticationService(apiKeys(keys));
    keys['secret-key-9'] = 'mallory';
    expect((await service.authenticate(requestWith(bearer('secret-key-9')))).valid).toBe(false);
  });

  it.each([
    ['an empty key', { '': 'alice' }],
    ['a key with space around it', { ' hidden-key': 'alice' }],
    ['the key of an unset variable', { undefined: 'alice' }],
    ['an empty user id', { 'hidden-key': '' }],
    ['a value that is no user', { 'hidden-key': 42 }],
    ['no map', undefined],
  ])('refuses %s without naming the key', (_what, keys) => {
    let thrown: unknown;
    try {
      apiKeys(keys as unknown as Record<string, UserLike>);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AuthenticatorOptionsError);
    expect((thrown as Error).message).not.toContain('hidden-key');
  });
});
