import { decodeCursor, type Position } from '../../../lib/protocol/cursor';
import type { ClientEvent, ClientRecord, Violation, ViolationKind } from './recording';

/** A publication within a run. */
export interface Step {
  readonly id: string;
  readonly cursor: string;
  readonly position: Position;
  readonly connection: number;
  /** It is the first after a `recovered: true`. */
  readonly recovered: boolean;
}

/** A stretch of a client's record within which the server promises that nothing is missing. */
export interface Run {
  readonly start: Position;
  /** What began it, for people. */
  readonly begunBy: string;
  readonly steps: Step[];
  /** A `recovered: true` came last, and nothing after it. */
  endsRecovered: boolean;
}

export interface RunsOfClient {
  readonly runs: readonly Run[];
  readonly violations: readonly Violation[];
}

/** Cuts a client's record at every point where it was told to read its state anew. */
export function readRuns(record: ClientRecord, mayReset: boolean): RunsOfClient {
  const reader = new RunReader(record, mayReset);
  for (const event of record.events) reader.read(event);
  return reader;
}

class RunReader implements RunsOfClient {
  readonly runs: Run[] = [];
  readonly violations: Violation[] = [];
  /** The connection on which the channel was joined last. */
  private joinedOn: number | undefined;

  constructor(
    private readonly record: ClientRecord,
    private readonly mayReset: boolean,
  ) {}

  read(event: ClientEvent): void {
    const position = decodeCursor(event.cursor);
    if (position === undefined) this.report('order', `a ${event.kind} with "${event.cursor}" for a cursor`);
    else if (event.kind === 'subscribed') this.join(event, position);
    else if (event.kind === 'reset') this.reset(event.connection, position);
    else this.step(event, position);
  }

  private join(event: ClientEvent & { kind: 'subscribed' }, position: Position): void {
    const { connection, asked, recovered, cursor } = event;
    this.joinedOn = connection;
    const where = `connection ${connection}, which asked for what follows ${asked ?? 'nothing'}`;
    if ((asked === undefined) !== (recovered === undefined)) {
      this.report('false-recovery', `${where}, was answered recovered: ${recovered}`);
    }
    if (recovered === true && cursor !== asked) this.report('false-recovery', `${where}, was answered ${cursor}`);
    const run = this.runs.at(-1);
    if (recovered === true && run !== undefined) {
      run.endsRecovered = true;
      return;
    }
    if (run !== undefined && !this.mayReset) this.report('needless-reset', `${where}, was answered recovered: ${recovered}`);
    this.begin(position, `the join on connection ${connection}`);
  }

  private reset(connection: number, position: Position): void {
    if (this.joinedOn !== connection) this.report('order', `a reset on connection ${connection}, which had not joined`);
    if (!this.mayReset) this.report('needless-reset', `a reset to offset ${position.offset} on connection ${connection}`);
    this.begin(position, `a reset on connection ${connection}`);
  }

  private step({ connection, id, cursor }: ClientEvent & { kind: 'publication' }, position: Position): void {
    const run = this.runs.at(-1);
    if (this.joinedOn !== connection || run === undefined) {
      this.report('order', `${id} on connection ${connection}, which had not joined`);
      return;
    }
    run.steps.push({ id, cursor, position, connection, recovered: run.endsRecovered });
    run.endsRecovered = false;
  }

  private begin(start: Position, begunBy: string): void {
    this.runs.push({ start, begunBy, steps: [], endsRecovered: false });
  }

  private report(kind: ViolationKind, message: string): void {
    const { client, channel } = this.record;
    this.violations.push({ kind, client, channel, message });
  }
}
