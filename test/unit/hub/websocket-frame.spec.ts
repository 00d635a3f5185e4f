import { textFrameHeaderLength, writeTextFrameHeader } from '../../../lib/hub/websocket-frame';

function headerOf(length: number, flags?: number): number[] {
  const header = Buffer.alloc(textFrameHeaderLength(length));
  writeTextFrameHeader(header, length, flags);
  return [...header];
}

describe('the header of a text frame', () => {
  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [0xffff, [0x81, 126, 0xff, 0xff]],
    [0x1_0000, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [0xffff_ffff, [0x81, 127, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]],
    [0x1_0000_0000, [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]],
    [0x12_3456_789a, [0x81, 127, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a]],
  ])('says a length of %d in the fewest bytes', (length, bytes) => {
    expect(headerOf(length)).toEqual(bytes);
  });

  it('carries the flags of an extension', () => {
    expect(headerOf(5, 0x40)).toEqual([0xc1, 5]);
  });
});
