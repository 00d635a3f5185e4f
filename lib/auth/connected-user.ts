import type { ConnectedUser } from '../protocol/connected-user';
import { freezeClaims } from './claims';
import { isRecord } from './type-checks';

export type { ConnectedUser } from '../protocol/connected-user';

/** What a user can be recognised by; numbers become strings. */
export type UserId = string | number | bigint;

interface UserFacts {
  /** What is known about the user. Absent: all other properties of the object. */
  readonly claims?: object;
  /** When the credentials end: ms since the epoch or a Date; absent when they do not. */
  readonly expiresAt?: number | Date | null;
}

type Identified = UserFacts & ({ readonly id: UserId } | { readonly userId: UserId } | { readonly sub: UserId });

/**
 * What a validate function may return for a user it recognises: the bare id, or an object with `id`, `userId` or (a
 * token's payload) `sub`.
 *
 * @publicApi
 */
export type UserLike = string | Identified | (Identified & Readonly<Record<string, unknown>>);

/**
 * What a validate function may return: a user, or nothing for credentials that it does not accept.
 *
 * @publicApi
 */
export type ValidationResult = UserLike | null | undefined | false;

const ID_NAMES = ['id', 'userId', 'sub'] as const;

/**
 * Turns whatever names a user into a {@link ConnectedUser} with claims of its own, frozen at every level.
 *
 * @returns undefined when the value names nobody
 * @throws TypeError when it names somebody, with an `expiresAt` or claims that make no sense
 */
export function toConnectedUser(value: unknown): ConnectedUser | undefined {
  if (typeof value === 'string') return value === '' ? undefined : createUser(value, Object.freeze({}), undefined);
  if (!isRecord(value)) return undefined;
  for (const name of ID_NAMES) {
    const id = toUserId(value[name]);
    if (id !== undefined) return createUser(id, claimsOf(value, name), expiryOf(value, name));
  }
  return undefined;
}

/** @returns undefined for what cannot be a user's id, the empty string included */
export function toUserId(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  return undefined;
}

function createUser(id: string, claims: ConnectedUser['claims'], expiresAt: number | undefined): ConnectedUser {
  return Object.freeze(expiresAt === undefined ? { id, claims } : { id, claims, expiresAt });
}

function claimsOf(candidate: Record<string, unknown>, idName: string): ConnectedUser['claims'] {
  const { claims } = candidate;
  if (isRecord(claims)) return freezeClaims(claims);
  // The payload of a token is its claims, `sub` among them. Of any other object, the id is not said twice.
  return freezeClaims(candidate, idName === 'sub' ? ['expiresAt'] : [idName, 'expiresAt']);
}

function expiryOf(candidate: Record<string, unknown>, idName: string): number | undefined {
  const { expiresAt, exp } = candidate;
  if (expiresAt !== undefined && expiresAt !== null) return toEpochMs(expiresAt);
  // Only beside `sub` is `exp` a token's expiry in seconds; on any other object the name may mean anything.
  return idName === 'sub' && typeof exp === 'number' ? toEpochMs(exp * 1000) : undefined;
}

function toEpochMs(value: unknown): number | undefined {
  const time = value instanceof Date ? value.getTime() : value;
  if (time === Infinity) return undefined;
  if (typeof time !== 'number' || !Number.isFinite(time)) {
    throw new TypeError('expiresAt must be a number of ms since the epoch or a valid Date');
  }
  return time;
}
