import type { ConnectionTarget, ControlCommand } from '../hub-adapter';

/** RFC 6455: a control frame carries 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123;

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
  if (typeof code !== 'number' || !Number.isInteger(code) || typeof reason !== 'string') return false;
  const sendable = code === 1000 || code === 1001 || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  return sendable && Buffer.byteLength(reason) <= MAX_REASON_BYTES;
}
