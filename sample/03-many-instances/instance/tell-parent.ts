import type { InstanceMessage } from './messages';

/** Nothing is told when the process was started by hand. */
export function tellParent(message: InstanceMessage): void {
  if (process.connected) process.send?.(message);
}
