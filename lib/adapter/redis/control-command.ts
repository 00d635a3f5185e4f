import { closeFrameProblem } from '../../protocol/close-frame';
import type { ConnectionTarget, ControlCommand } from '../hub-adapter';

/**
 * Reads a command that came over Redis, where anybody may write.
 *
 * @returns undefined when it is none
 */
export function decodeControlCommand(payload: Buffer): ControlCommand | undefined {
  const command = JSON.parse(payload.toString('utf8')) as Record<string, unknown>;
  const target = readTarget(command.target);
  if (target === undefined) return undefined;
  const { kind, channel, reason, code, payload: frame } = command;
  switch (kind) {
    case 'send':
      return typeof frame === 'string' ? { kind, target, payload: frame } : undefined;
    case 'disconnect':
      return isCloseFrame(code, reason) ? { kind, target, code: code as number, reason: reason as string } : undefined;
    case 'subscribe':
      return typeof channel === 'string' ? { kind, target, channel } : undefined;
    case 'unsubscribe':
      return typeof channel === 'string' && typeof reason === 'string' ? { kind, target, channel, reason } : undefined;
    default:
      return undefined;
  }
}

function readTarget(value: unknown): ConnectionTarget | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { userId, connectionId } = value as Record<string, unknown>;
  if (typeof userId === 'string') return { userId };
  return typeof connectionId === 'string' ? { connectionId } : undefined;
}

/** What may stand in a close frame: another code or a longer reason would make closing throw. */
function isCloseFrame(code: unknown, reason: unknown): boolean {
  return typeof code === 'number' && typeof reason === 'string' && closeFrameProblem(code, reason) === undefined;
}
