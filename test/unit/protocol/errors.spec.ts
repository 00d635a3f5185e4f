import { ErrorCode, errorData, isErrorCode, RealtimeError } from '../../../lib/protocol/errors';

describe('RealtimeError', () => {
  it('becomes the data of an error frame', () => {
    expect(errorData(new RealtimeError('conflict', 'The seat is taken', { seat: '12A' }))).toEqual({
      code: 'conflict',
      message: 'The seat is taken',
      details: { seat: '12A' },
    });
  });

  it('leaves out details that there are none of', () => {
    expect(Object.keys(errorData(new RealtimeError('not_found', 'gone')))).toEqual(['code', 'message']);
    expect(errorData(new RealtimeError('not_found', 'gone', null))).toHaveProperty('details', null);
  });

  it('is an Error with its own name', () => {
    const error = new RealtimeError('internal', 'x');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('RealtimeError');
  });
});

describe('isErrorCode', () => {
  it('knows the codes of the protocol', () => {
    expect(Object.values(ErrorCode)).toEqual([
      'bad_request', 'unknown_type', 'invalid_channel', 'unauthorized', 'forbidden', 'not_subscribed', 'validation_failed',
      'limit_exceeded', 'rate_limited', 'conflict', 'not_found', 'unavailable', 'internal',
    ]);
    expect(Object.values(ErrorCode).every(isErrorCode)).toBe(true);
  });

  it.each(['', 'BadRequest', 'toString', 'constructor', 1, null, undefined, ['forbidden']])('does not take %j for one', (value) => {
    expect(isErrorCode(value)).toBe(false);
  });
});
