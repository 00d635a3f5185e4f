import { SERVER_TYPES } from '../protocol/server-types';
import { ReservedTypeError } from './hub.errors';

/**
 * Refuses types that clients would take for the hub's own words.
 *
 * @throws ReservedTypeError
 */
export function assertOwnType(type: string): void {
  if (SERVER_TYPES.has(type)) throw new ReservedTypeError(type);
}

/** The same for a message to one client alone: of an error, an application's own is as good as the hub's. */
export function assertDirectType(type: string): void {
  if (type !== 'error') assertOwnType(type);
}
