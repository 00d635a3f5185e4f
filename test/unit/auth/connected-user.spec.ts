import { toConnectedUser } from '../../../lib/auth/connected-user';
import { identityOf } from '../../../lib/auth/identity';
import { requestWith } from './requests';

describe('toConnectedUser', () => {
  it.each([
    ['a bare id', 'alice', { id: 'alice', claims: {} }],
    ['id and claims', { id: 'alice', claims: { role: 'admin' } }, { id: 'alice', claims: { role: 'admin' } }],
    ['userId and claims', { userId: 'alice', claims: { a: 1 } }, { id: 'alice', claims: { a: 1 } }],
    ['a numeric id', { id: 7 }, { id: '7', claims: {} }],
    ['a bigint id', { id: 7n }, { id: '7', claims: {} }],
    ['an id of zero', { id: 0 }, { id: '0', claims: {} }],
    ['an object without claims', { id: 'a', name: 'Alice' }, { id: 'a', claims: { name: 'Alice' } }],
    ['an expiry in ms', { id: 'a', expiresAt: 5000 }, { id: 'a', claims: {}, expiresAt: 5000 }],
    ['an expiry as a Date', { id: 'a', expiresAt: new Date(5000) }, { id: 'a', claims: {}, expiresAt: 5000 }],
    ['an expiry of null', { id: 'a', expiresAt: null }, { id: 'a', claims: {} }],
    ['an expiry that never comes', { id: 'a', expiresAt: Infinity }, { id: 'a', claims: {} }],
    ['the payload of a token', { sub: 'a', exp: 9 }, { id: 'a', claims: { sub: 'a', exp: 9 }, expiresAt: 9000 }],
    ['exp that is not beside sub', { id: 'a', exp: 9 }, { id: 'a', claims: { exp: 9 } }],
    ['id before userId and sub', { sub: 's', userId: 'u', id: 'i' }, { id: 'i', claims: { sub: 's', userId: 'u' } }],
  ])('understands %s', (_what, value, user) => {
    expect(toConnectedUser(value)).toStrictEqual(user);
  });

  it.each([
    undefined,
    null,
    false,
    true,
    '',
    0,
    42,
    {},
    [],
    { id: '' },
    { id: null },
    { id: 1.5 },
    { id: NaN },
    { id: {} },
    { claims: {} },
    () => 'alice',
  ])('sees no user in %p', (value) => {
    expect(toConnectedUser(value)).toBeUndefined();
  });

  it.each([NaN, -Infinity, '2030-01-01', new Date('never'), {}])('refuses an expiry of %p', (expiresAt) => {
    expect(() => toConnectedUser({ id: 'alice', expiresAt })).toThrow(TypeError);
  });

  it('freezes the user and every level of the claims', () => {
    'use strict';
    const user = toConnectedUser({ id: 'alice', claims: { roles: ['reader'], org: { id: 1 } } })!;
    expect(() => Object.assign(user, { id: 'root' })).toThrow(TypeError);
    expect(() => (user.claims['roles'] as string[]).push('admin')).toThrow(TypeError);
    expect(() => Object.assign(user.claims['org'] as object, { id: 2 })).toThrow(TypeError);
  });

  it('gives an equal user for a user it made', () => {
    const user = toConnectedUser({ id: 'alice', claims: { a: [1] }, expiresAt: 5000 });
    expect(toConnectedUser(user)).toStrictEqual(user);
  });

  it('reads the id of an entity whose id is a getter', () => {
    class Account {
      readonly name = 'Alice';
      get id(): string {
        return 'alice';
      }
    }
    expect(toConnectedUser(new Account())).toStrictEqual({ id: 'alice', claims: { name: 'Alice' } });
  });
});

describe('identityOf', () => {
  it.each([
    ['id', { id: 'alice' }],
    ['userId', { userId: 'alice' }],
    ['sub', { sub: 'alice' }],
  ])('reads what a guard of the application left, named by %s', (_name, user) => {
    expect(identityOf(Object.assign(requestWith(), { user }))?.id).toBe('alice');
  });

  it('is undefined when no guard left an identity', () => {
    expect(identityOf(requestWith())).toBeUndefined();
    expect(identityOf(Object.assign(requestWith(), { user: { email: 'a@b.c' } }))).toBeUndefined();
  });
});
