import { ForbiddenException, HttpException, UnauthorizedException } from '@nestjs/common';
import { InvalidCredentialsError, MalformedCredentialsError, MissingCredentialsError } from '../authentication.errors';

/** A guard answered `false`, which gives no reason. */
export class PlainRefusal extends ForbiddenException {}

/**
 * Of several guards' refusals, the one that says most about what the client should do. A failure of the server comes
 * first, so that an outage is not taken for a wrong password; that nothing was sent comes last but for a bare no, so that
 * a client without any credentials is told to send some.
 */
export function mostTelling(refusals: readonly unknown[]): unknown {
  let best = refusals[0];
  for (const refusal of refusals) {
    if (rank(refusal) > rank(best)) best = refusal;
  }
  return best;
}

function rank(refusal: unknown): number {
  if (!(refusal instanceof HttpException) || refusal.getStatus() >= 500) return 7;
  if (refusal instanceof InvalidCredentialsError) return 6;
  if (refusal instanceof MalformedCredentialsError) return 5;
  if (refusal instanceof MissingCredentialsError) return 1;
  if (refusal instanceof UnauthorizedException) return 4;
  if (refusal instanceof PlainRefusal) return 0;
  return refusal instanceof ForbiddenException ? 2 : 3;
}
