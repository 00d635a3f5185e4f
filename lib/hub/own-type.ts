import { SERVER_TYPES } from '../protocol/server-types';
import { InvalidTypeError, ReservedTypeError } from './hub.errors';

/**
 * Refuses what is no type, and types that clients would take for the hub's own words.
 *
 * @throws InvalidTypeError, ReservedTypeError
 */
export function assertOwnType(type: string): void {
  if (typeof type !== 'string' || type === '') throw new InvalidTypeError(type);
  if (SERVER_TYPES.has(type)) throw new ReservedTypeError(type);
}

/** The same for a message to one client alone: of an error, an application's own is as good as the hub's. */
export function assertDirectType(type: string): void {
  if (type !== 'error') assertOwnType(type);
}
