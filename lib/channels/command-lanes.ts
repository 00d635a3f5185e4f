/**
 * Runs the commands of one connection: those of one lane one after the other, different lanes side by side. A channel
 * is a lane, so that its publications keep their order however long each handler takes, and a slow channel does not
 * hold up another.
 */
export class CommandLanes {
  private readonly tails = new Map<string, Promise<void>>();
  /** Commands begun or waiting. */
  pending = 0;

  /** @param run never rejects */
  add(lane: string, after: Promise<void> | undefined, run: () => Promise<void>): Promise<void> {
    this.pending++;
    const previous = this.tails.get(lane) ?? after;
    const done = (previous ? previous.then(run) : run()).finally(() => {
      this.pending--;
      if (this.tails.get(lane) === done) this.tails.delete(lane);
    });
    this.tails.set(lane, done);
    return done;
  }
}
