import type { IncomingMessage } from 'node:http';
import { redactRequest } from '../../auth';
import { describeError } from '../../hub/describe-error';

/** What the log is told about an error of the application's own code, without the credentials of the request it is about. */
export function errorText(error: unknown, request: IncomingMessage): string {
  return redactRequest(describeError(error), request);
}
