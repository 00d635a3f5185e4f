import { closeFrameProblem } from '../protocol/close-frame';

/**
 * Before anything is ended with them: halfway through, a code or reason that cannot be sent would leave a connection that
 * nobody closes any more.
 *
 * @throws RangeError
 */
export function assertCloseFrame(code: number, reason: string): void {
  const problem = closeFrameProblem(code, reason);
  if (problem !== undefined) throw new RangeError(problem);
}
