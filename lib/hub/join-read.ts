import type { Position } from '../protocol/cursor';
import type { ReadBudget } from './read-budget';
import type { SharedPublication } from './shared-publication';

/** Publications of one read, in memory until the last of those who send them on is through. */
export class HeldRead {
  private users = 0;
  private readonly bytes: number;

  constructor(
    readonly publications: readonly SharedPublication[],
    private readonly budget: ReadBudget,
    private readonly onFreed: () => void,
  ) {
    this.bytes = publications.reduce((sum, publication) => sum + publication.bytes, 0);
  }

  /** @param start index of the first publication that is for this user */
  use(position: Position, start: number): JoinRead {
    if (start === this.publications.length) return new JoinRead(true, position);
    if (this.users++ === 0) this.budget.take(this.bytes);
    return new JoinRead(true, position, this, start);
  }

  giveBack(): void {
    if (--this.users > 0) return;
    this.budget.give(this.bytes);
    this.onFreed();
  }
}

/** What a subscriber that joins is told of the history. */
export class JoinRead {
  /** @param position where the channel stands */
  constructor(
    readonly recovered: boolean,
    readonly position: Position,
    private held?: HeldRead,
    private readonly start = 0,
  ) {}

  get publications(): readonly SharedPublication[] {
    return this.held?.publications.slice(this.start) ?? [];
  }

  /** @returns undefined past the end, and when it was let go of */
  at(index: number): SharedPublication | undefined {
    return this.held?.publications[this.start + index];
  }

  /** Gives back what it holds: the publications are not needed any more. */
  letGo(): void {
    const { held } = this;
    this.held = undefined;
    held?.giveBack();
  }
}
