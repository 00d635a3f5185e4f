/** Reads at their largest that may be under way, or held by those who send them on. */
const READS = 16;

/** Who is sent what was read. */
export interface Reader {
  readonly writable: boolean;
  whenWritable(): Promise<void>;
}

/**
 * Bounds how much of the histories is held in memory for subscribers that join, over all of a hub. What a read may bring is
 * taken before it begins and corrected when it is known; it is given back when the last who sends it on is through.
 *
 * Who waits for a client that does not read must not keep all others waiting: he lets go of what he holds when it is needed.
 */
export class ReadBudget {
  private readonly limit: number;
  private taken = 0;
  /** Those who hold something and wait for their clients, the first to do so first. */
  private readonly stalled = new Set<() => void>();

  /** @param perRead bytes that a read may bring */
  constructor(readonly perRead: number) {
    this.limit = READS * perRead;
  }

  /** Bytes that are held, or may be brought by what is under way. */
  get bytes(): number {
    return this.taken;
  }

  /** Makes room for one more read. @returns whether there is */
  makeRoom(): boolean {
    for (const letGo of this.stalled) {
      if (this.hasRoom) return true;
      letGo();
    }
    return this.hasRoom;
  }

  take(bytes: number): void {
    this.taken += bytes;
  }

  give(bytes: number): void {
    this.taken -= bytes;
  }

  /**
   * Waits for a reader that does not keep up.
   *
   * @param letGo gives back what is held, when it is needed first
   * @returns whether it was not needed
   */
  async stall(reader: Reader, letGo: () => void): Promise<boolean> {
    let needed: (() => void) | undefined;
    const taken = new Promise<boolean>((resolve) => {
      needed = () => {
        // It goes on in a moment.
        if (reader.writable) return;
        this.stalled.delete(needed!);
        letGo();
        resolve(false);
      };
      this.stalled.add(needed);
    });
    try {
      return await Promise.race([reader.whenWritable().then(() => true), taken]);
    } finally {
      this.stalled.delete(needed!);
    }
  }

  private get hasRoom(): boolean {
    return this.taken + this.perRead <= this.limit;
  }
}
