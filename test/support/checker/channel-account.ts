import { decodeCursor, encodeCursor, type Position } from '../../../lib/protocol/cursor';
import type { PublishRecord, Violation, ViolationKind } from './recording';
import type { Run, Step } from './runs';

/** What a fact rests on. */
interface Link {
  readonly before: Position;
  readonly client: string;
  readonly recovered: boolean;
}

/**
 * One channel as everybody tells it together: which publication stands where, and which stands before it. After a
 * fail-over that lost its newest publications a place is taken a second time, by a publication with another tag; so the
 * publications of an epoch form a tree, each with the one before it as its parent.
 */
export class ChannelAccount {
  private readonly idAt = new Map<string, string>();
  private readonly cursorOf = new Map<string, string>();
  private readonly links = new Map<string, Link>();
  private readonly violations: Violation[];
  private readonly published: ReadonlyMap<string, PublishRecord>;
  /** Accepted publications by epoch and offset: more than one where the store has lost a tail. */
  private readonly accepted = new Map<string, PublishRecord[]>();

  constructor(
    private readonly channel: string,
    publishes: readonly PublishRecord[],
    report: Violation[],
  ) {
    this.violations = report;
    this.published = new Map(publishes.map((publish) => [publish.id, publish]));
    for (const publish of publishes) {
      if (publish.outcome === 'accepted') this.addAccepted(publish);
    }
  }

  /** Adds what a client saw in one run. */
  add(run: Run, client: string): void {
    let before = run.start;
    for (const step of run.steps) {
      this.place(step.id, step.cursor, client);
      this.judgeOrigin(step, client);
      if (follows(before, step.position)) this.link(before, step, client);
      before = step.position;
    }
  }

  /** The accepted publications in the order of their places, for each epoch. */
  inOrder(): { publish: PublishRecord; position: Position }[] {
    const found = [...this.accepted.values()].flat().map((publish) => ({ publish, position: decodeCursor(publish.cursor)! }));
    return found.toSorted((a, b) => a.position.epoch.localeCompare(b.position.epoch) || a.position.offset - b.position.offset);
  }

  private addAccepted(publish: PublishRecord): void {
    const position = decodeCursor(publish.cursor);
    if (position === undefined) {
      this.report('order', `${publish.id} was accepted with "${publish.cursor}" for a cursor`);
      return;
    }
    this.place(publish.id, publish.cursor!);
    const key = placeOf(position);
    this.accepted.set(key, [...(this.accepted.get(key) ?? []), publish]);
  }

  /** A publication has one place, and a place one publication. */
  private place(id: string, cursor: string, client?: string): void {
    const known = this.cursorOf.get(id) ?? cursor;
    if (known !== cursor) this.report('two-orders', `${id} is at ${known} and at ${cursor}`, client);
    const other = this.idAt.get(cursor) ?? id;
    if (other !== id) this.report('two-orders', `${cursor} is ${other} and ${id}`, client);
    this.cursorOf.set(id, known);
    this.idAt.set(cursor, other);
  }

  private judgeOrigin({ id }: Step, client: string): void {
    const publish = this.published.get(id);
    if (publish === undefined) this.report('ghost', `${id} was never published`, client);
    else if (publish.outcome === 'rejected') this.report('ghost', `${id} was rejected`, client);
  }

  private link(before: Position, step: Step, client: string): void {
    const link = { before, client, recovered: step.recovered };
    const known = this.links.get(step.cursor) ?? link;
    this.links.set(step.cursor, known.recovered ? link : known);
    if (known.before.tag !== before.tag) {
      const doubtful = step.recovered || !known.recovered ? link : known;
      const accounts = `${encodeCursor(known.before)} (${known.client}) and ${encodeCursor(before)} (${client})`;
      this.report(doubtful.recovered ? 'false-recovery' : 'two-orders', `before ${step.id} came ${accounts}`, doubtful.client);
      return;
    }
    const skipped = this.skippedBetween(before, step);
    if (skipped === undefined) return;
    const message = `${step.id} follows ${encodeCursor(before)}, in whose place ${skipped.id} had been accepted before`;
    this.report(step.recovered ? 'false-recovery' : 'two-orders', message, client);
  }

  /** Something that was accepted in the place of `before` after it had been, and before the step was published. */
  private skippedBetween(before: Position, { id }: Step): PublishRecord | undefined {
    const rivals = this.accepted.get(placeOf(before)) ?? [];
    const own = rivals.find(({ cursor }) => cursor === encodeCursor(before));
    const next = this.published.get(id);
    if (own === undefined || next === undefined) return undefined;
    return rivals.find((rival) => own.answeredAt < rival.startedAt && rival.answeredAt < next.startedAt);
  }

  private report(kind: ViolationKind, message: string, client?: string): void {
    this.violations.push({ kind, channel: this.channel, client, message });
  }
}

export function placeOf({ epoch, offset }: Position): string {
  return `${epoch}-${offset}`;
}

function follows(before: Position, { epoch, offset }: Position): boolean {
  return before.epoch === epoch && before.offset + 1 === offset;
}
