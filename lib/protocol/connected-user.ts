/**
 * Who is connected, as the authenticator or guard said at the upgrade. Frozen.
 *
 * @publicApi
 */
export interface ConnectedUser {
  readonly id: string;
  /** What the credentials say about the user: a token's claims, or whatever the validator returned. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** When the credentials end, in ms since the epoch; undefined when they do not. */
  readonly expiresAt?: number;
}
