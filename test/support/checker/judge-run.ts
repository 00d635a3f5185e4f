import { encodeCursor } from '../../../lib/protocol/cursor';
import type { Violation, ViolationKind } from './recording';
import type { Run, Step } from './runs';

/** Judges by itself what one client was given between two points at which it was told of a loss. */
export function judgeRun(run: Run, client: string, channel: string, seen: Set<string>): Violation[] {
  const violations: Violation[] = [];
  const report = (kind: ViolationKind, message: string): void => void violations.push({ kind, client, channel, message });
  const all = new Set(run.steps.map(({ position }) => position.offset));
  let { epoch, offset: newest } = run.start;
  let before = `${run.begunBy} at ${encodeCursor(run.start)}`;
  for (const step of run.steps) {
    const { id, cursor, position, connection } = step;
    if (seen.has(id)) {
      report('duplicate', `${id} came again at offset ${position.offset}`);
      continue;
    }
    seen.add(id);
    if (position.epoch !== epoch) {
      report(kindOf(step), `${id} is of epoch ${position.epoch}, and what came before it of ${epoch}`);
      ({ epoch, offset: newest } = position);
    } else if (position.offset <= newest) {
      report('order', `${id} at offset ${position.offset} came after offset ${newest}`);
    } else {
      const missing = countMissing(all, newest, position.offset);
      const between = `after ${newest}, between ${before} and ${id} at ${cursor} on connection ${connection}`;
      if (missing > 0) report(kindOf(step), `${missing} missing ${between}`);
      newest = position.offset;
    }
    before = `${id} at ${cursor} on connection ${connection}`;
  }
  return violations;
}

/** What is missing right after a claim makes the claim false. */
function kindOf({ recovered }: Step): ViolationKind {
  return recovered ? 'false-recovery' : 'gap';
}

/** Those that came too late are a matter of order. */
function countMissing(all: ReadonlySet<number>, from: number, to: number): number {
  let missing = 0;
  for (let offset = from + 1; offset < to; offset++) if (!all.has(offset)) missing++;
  return missing;
}
