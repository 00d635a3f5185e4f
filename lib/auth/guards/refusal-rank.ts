import { ForbiddenException, HttpException, UnauthorizedException } from '@nestjs/common';
import { InvalidCredentialsError, MalformedCredentialsError, MissingCredentialsError } from '../authentication.errors';

/**
 * Of several guards' refusals, the one that says most about what the client should do. A failure of the server comes
 * first, so that an outage is not taken for a wrong password; that nothing was sent comes last.
 */
export function mostTelling(refusals: readonly unknown[]): unknown {
  let best = refusals[0];
  for (const refusal of refusals) {
    if (rank(refusal) > rank(best)) best = refusal;
  }
  return best;
}

function rank(refusal: unknown): number {
  if (!(refusal instanceof HttpException) || refusal.getStatus() >= 500) return 6;
  if (refusal instanceof InvalidCredentialsError) return 5;
  if (refusal instanceof MalformedCredentialsError) return 4;
  if (refusal instanceof MissingCredentialsError) return 0;
  if (refusal instanceof UnauthorizedException) return 3;
  return refusal instanceof ForbiddenException ? 1 : 2;
}
