import { CloseCode, isFinalCloseCode } from '../../../lib/protocol/close-codes';

describe('close codes', () => {
  it('are those of the protocol', () => {
    expect(CloseCode).toEqual({
      Normal: 1000, GoingAway: 1001, MessageTooBig: 1009, ServerError: 1011, NoPong: 4001, TokenExpired: 4005, SlowConsumer: 4008,
      StateLost: 4010, Overloaded: 4013, RateLimited: 4029, Unauthorized: 4501, Forbidden: 4503, ConnectionLimit: 4504, Replaced: 4509,
    });
  });

  it.each([1009, 4500, 4501, 4503, 4504, 4509, 4999])('%d is final: a client stays away', (code) => {
    expect(isFinalCloseCode(code)).toBe(true);
  });

  it.each([1000, 1001, 1005, 1006, 1011, 4000, 4001, 4005, 4008, 4010, 4013, 4029, 4499, 5000, 3000])(
    'after %d a client comes back',
    (code) => {
      expect(isFinalCloseCode(code)).toBe(false);
    },
  );
});
