import type { EnvelopeFields } from '../protocol/envelope';

/** A message from the server, its fields as the protocol names them. @publicApi */
export interface Frame {
  readonly type: string;
  readonly channel?: string;
  readonly data?: unknown;
  readonly id?: string | number;
  readonly from?: string;
  readonly cursor?: string;
  readonly timestamp?: string;
  readonly recoverable?: boolean;
  readonly recovered?: boolean;
}

/** A message to the server. @publicApi */
export interface OutgoingFrame {
  readonly type: string;
  readonly channel?: string;
  readonly data?: unknown;
  readonly id?: number;
  readonly cursor?: string;
  readonly replay?: number;
  readonly idempotencyKey?: string;
}

/** Turns frames into text and back, with the field names that the server's `envelope` option chose. @publicApi */
export class FrameCodec {
  private readonly type: string;
  private readonly data: string;

  constructor({ type = 'type', data = 'data' }: Partial<EnvelopeFields> = {}) {
    this.type = type;
    this.data = data;
  }

  /** @throws TypeError when `data` has no JSON form */
  encode({ type, data, ...rest }: OutgoingFrame): string {
    return JSON.stringify({ [this.type]: type, ...rest, [this.data]: data });
  }

  /** @returns undefined for what is no frame: there is nobody to tell, and nothing to do about it */
  decode(text: unknown): Frame | undefined {
    try {
      const { [this.type]: type, [this.data]: data, ...rest } = JSON.parse(text as string) as Record<string, unknown>;
      return typeof type === 'string' ? { ...rest, type, data } : undefined;
    } catch {
      return undefined;
    }
  }
}
