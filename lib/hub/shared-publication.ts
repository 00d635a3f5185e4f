import type { StoredPublication } from '../adapter/hub-adapter';
import { encodeCursor, type Position } from '../protocol/cursor';
import { Frame, type FrameOrigin } from './frame';

/** A publication out of the history, for all who are to get it: encoded once, for the first. */
export class SharedPublication {
  private frame: Frame | undefined;
  readonly position: Position;
  private readonly payload: Buffer;

  constructor({ position, payload }: StoredPublication) {
    this.position = position;
    this.payload = payload;
  }

  get bytes(): number {
    return this.payload.length;
  }

  /** @param origin of the channel's publications */
  toFrame(origin: FrameOrigin): Frame {
    return (this.frame ??= Frame.fromPayload(this.payload, origin, encodeCursor(this.position)));
  }
}
