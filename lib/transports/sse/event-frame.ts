import type { QueuedFrame } from '../../hub/batch';
import type { Frame, FrameOrigin } from '../../hub/frame';

const LF = 0x0a;
const CR = 0x0d;
const LINE_BREAK = /\r\n|\r|\n/;
const DATA = 'data: ';
const END = '\n\n';

/** A frame as a Server-Sent Event. Connections at the same id share it. */
export class EventFrame implements QueuedFrame {
  constructor(
    readonly bytes: Buffer,
    readonly origin: FrameOrigin | undefined,
  ) {}

  encodedFor(): Buffer {
    return this.bytes;
  }
}

/**
 * Makes events of frames. A fan-out gives one frame to all connections before the next, so the event made last is the one
 * asked for: it is made once, and shared as long as the ids are the same.
 */
export class EventEncoder {
  private frame: Frame | undefined;
  private body: Buffer | undefined;
  private id: string | undefined;
  private event: EventFrame | undefined;

  /** @param id what a client that has this event continues from; undefined leaves the one before in force */
  encode(frame: Frame, id: string | undefined): EventFrame {
    if (this.frame !== frame) {
      this.frame = frame;
      this.body = encodeEvent(frame.payload);
      this.event = undefined;
    }
    if (this.event === undefined || this.id !== id) {
      this.id = id;
      this.event = new EventFrame(withPrefix(id === undefined ? '' : `id: ${id}\n`, this.body!), frame.origin);
    }
    return this.event;
  }
}

function withPrefix(lines: string, body: Buffer): Buffer {
  return lines === '' ? body : Buffer.concat([Buffer.from(lines, 'latin1'), body]);
}

/** The event's data. A line break in it, which JSON of ours has none of, begins a further `data:` line. */
export function encodeEvent(payload: Buffer): Buffer {
  if (payload.includes(LF) || payload.includes(CR)) {
    const lines = payload.toString('utf8').split(LINE_BREAK);
    return Buffer.from(`${lines.map((line) => DATA + line).join('\n')}${END}`);
  }
  const bytes = Buffer.allocUnsafe(DATA.length + payload.length + END.length);
  bytes.write(DATA, 0, 'latin1');
  payload.copy(bytes, DATA.length);
  bytes.write(END, DATA.length + payload.length, 'latin1');
  return bytes;
}
