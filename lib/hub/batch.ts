import type { CompressionSettings } from './compression';
import type { FrameOrigin } from './frame';

/** What waits to be written: a frame in the form of its transport. */
export interface QueuedFrame {
  readonly bytes: Buffer;
  readonly origin?: FrameOrigin;
  encodedFor(compression: CompressionSettings | undefined): Buffer;
}

/**
 * A sequence of frames that wait for one write. Batches form a tree: appending a frame leads to the next node, and
 * connections that were given the same frames in the same order stand on the same node. So the bytes of a sequence are
 * joined once, however many connections share it, and appending costs one comparison.
 */
export class Batch {
  /** The continuation made last. A fan-out appends one frame everywhere before the next, so it is the one asked for. */
  private newest: Batch | undefined;
  private joined: Buffer | undefined;
  private joinedDeflated: Buffer | undefined;

  private constructor(
    private readonly previous: Batch | undefined,
    private readonly frame: QueuedFrame | undefined,
    readonly count: number,
    /** Length of all frames, uncompressed. */
    readonly bytes: number,
  ) {}

  static empty(): Batch {
    return new Batch(undefined, undefined, 0, 0);
  }

  append(frame: QueuedFrame): Batch {
    const newest = this.newest;
    if (newest !== undefined && newest.frame === frame) return newest;
    return (this.newest = new Batch(this, frame, this.count + 1, this.bytes + frame.bytes.length));
  }

  /** All frames as one buffer, for one write. */
  join(compression?: CompressionSettings): Buffer {
    if (this.count === 1) return this.frame!.encodedFor(compression);
    if (compression === undefined) return (this.joined ??= this.concatenate());
    return (this.joinedDeflated ??= Buffer.concat(this.frames().map((frame) => frame.encodedFor(compression))));
  }

  /** The frames, oldest first. */
  frames(): QueuedFrame[] {
    const frames = Array.from<QueuedFrame>({ length: this.count });
    let node = this as Batch;
    for (let i = this.count - 1; i >= 0; i--) {
      frames[i] = node.frame!;
      node = node.previous!;
    }
    return frames;
  }

  private concatenate(): Buffer {
    const target = Buffer.allocUnsafe(this.bytes);
    let end = this.bytes;
    let node = this as Batch;
    while (node.frame !== undefined) {
      const { bytes } = node.frame;
      end -= bytes.length;
      target.set(bytes, end);
      node = node.previous!;
    }
    return target;
  }
}
