import * as fc from 'fast-check';
import { decodeControlCommand } from '../../../lib/adapter/redis/control-command';
import { assertCloseFrame } from '../../../lib/hub/close-frame';
import { closeFrameProblem } from '../../../lib/protocol/close-frame';

describe('a close frame', () => {
  it.each([1000, 1001, 1007, 1011, 1014, 3000, 4503, 4999])('may have the code %d', (code) => {
    expect(closeFrameProblem(code, '')).toBeUndefined();
  });

  it.each([0, 999, 1002, 1004, 1005, 1006, 1015, 2999, 5000, 4000.5, NaN, Infinity])('may not have the code %d', (code) => {
    expect(closeFrameProblem(code, '')).toContain(`The close code ${code} may not be sent`);
  });

  it('may have a reason of 123 bytes, whatever they are', () => {
    expect(closeFrameProblem(1000, 'x'.repeat(123))).toBeUndefined();
    expect(closeFrameProblem(1000, 'ü'.repeat(61))).toBeUndefined();
    expect(closeFrameProblem(1000, 'x'.repeat(124))).toContain('at most 123 bytes');
    expect(closeFrameProblem(1000, 'ü'.repeat(62))).toContain('at most 123 bytes');
  });

  it('is judged alike for this instance and for another', () => {
    const codes = fc.oneof(fc.integer({ min: 900, max: 5100 }), fc.double());
    fc.assert(
      fc.property(codes, fc.string({ unit: 'grapheme', maxLength: 130 }), (code, reason) => {
        const command = { kind: 'disconnect', target: { userId: 'a' }, code, reason };
        const isTaken = decodeControlCommand(Buffer.from(JSON.stringify(command))) !== undefined;
        expect(isTaken).toBe(isAllowed(code, reason));
      }),
    );
  });
});

function isAllowed(code: number, reason: string): boolean {
  try {
    assertCloseFrame(code, reason);
    return true;
  } catch {
    return false;
  }
}
