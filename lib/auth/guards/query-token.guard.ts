import { Injectable } from '@nestjs/common';
import { TokenGuard } from './token.guard';

/**
 * Requires a token in the URL, `?token=`. URLs are logged by proxies and kept by browsers, so list it only where
 * nothing else works (`EventSource`), with tokens that are short-lived.
 *
 * @throws MissingAuthenticatorError at the start, when `auth.authenticator` is not configured
 * @example
 * RealtimeModule.forRoot({ guards: [anyOf(BearerTokenGuard, QueryTokenGuard)], auth: { authenticator } })
 *
 * @publicApi
 */
@Injectable()
export class QueryTokenGuard extends TokenGuard {
  protected readonly sources = ['query'] as const;
}
