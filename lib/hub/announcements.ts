import type { EnvelopeFields } from '../protocol/envelope';
import type { FrameOrigin } from './frame';

/** `latest` is for states that replace each other, which members who come and go do not. */
export function announcementOrigin(origin: FrameOrigin): FrameOrigin {
  return origin.policy === 'latest' ? { channel: origin.channel, policy: 'disconnect' } : origin;
}

/** Tells `join` and `leave` from publications by how their frames begin, as a hub writes them. */
export function announcementTest(fields: EnvelopeFields): (payload: Buffer) => boolean {
  const starts = ['join', 'leave'].map((type) => Buffer.from(`{${JSON.stringify(fields.type)}:${JSON.stringify(type)},`));
  return (payload) => starts.some((start) => payload.subarray(0, start.length).equals(start));
}
