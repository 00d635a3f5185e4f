import {
  BadRequestException, ConflictException, ForbiddenException, GoneException, HttpException, ImATeapotException, InternalServerErrorException,
  Logger, NotFoundException, NotImplementedException, PayloadTooLargeException, ServiceUnavailableException, UnauthorizedException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import * as fc from 'fast-check';
import { ErrorMapper } from '../../../lib/channels/error-mapper';
import { ValidationFailedError } from '../../../lib/channels/validation';
import { HubClosedError, SerializationError } from '../../../lib/hub/hub.errors';
import { isErrorCode, RealtimeError } from '../../../lib/protocol/errors';
import { RecordingLogger } from '../../support/recording-logger';

const INTERNAL = { code: 'internal', message: 'Internal server error' };

describe('ErrorMapper', () => {
  let mapper: ErrorMapper;
  let logger: RecordingLogger;

  beforeEach(() => {
    Logger.overrideLogger((logger = new RecordingLogger()));
    mapper = new ErrorMapper();
  });
  afterEach(() => Logger.overrideLogger(['log', 'warn', 'error']));

  const map = (error: unknown): object => mapper.toErrorData(error, 'The handler of "say"');

  it.each([
    [new UnauthorizedException('who are you'), 'unauthorized', 'who are you'],
    [new ForbiddenException('not here'), 'forbidden', 'not here'],
    [new NotFoundException('no such room'), 'not_found', 'no such room'],
    [new ConflictException('taken'), 'conflict', 'taken'],
    [new PayloadTooLargeException('too much'), 'limit_exceeded', 'too much'],
    [new UnprocessableEntityException('no'), 'validation_failed', 'no'],
    [new HttpException('slow down', 429), 'rate_limited', 'slow down'],
    [new ServiceUnavailableException('later'), 'unavailable', 'later'],
    [new BadRequestException('what'), 'bad_request', 'what'],
    [new BadRequestException(['a must be b', 'c must be d']), 'bad_request', 'a must be b; c must be d'],
    [new GoneException('gone'), 'bad_request', 'gone'],
    [new ImATeapotException('short and stout'), 'bad_request', 'short and stout'],
    [new HttpException({ error: 'x' }, 403), 'forbidden', 'Http Exception'],
    [new HttpException('moved', 302), 'bad_request', 'moved'],
    [new WsException('bad words'), 'bad_request', 'bad words'],
    [new WsException({ code: 'conflict', message: 'taken' }), 'conflict', 'taken'],
    [new WsException({ code: 'no such code', message: 'x' }), 'bad_request', 'x'],
    [new RealtimeError('conflict', 'The seat is taken'), 'conflict', 'The seat is taken'],
    [new HubClosedError('publish'), 'unavailable', new HubClosedError('publish').message],
  ])('tells the client of %p', (error, code, message) => {
    expect(map(error)).toEqual({ code, message });
    expect(logger.lines).toEqual([]);
  });

  it('passes details on', () => {
    expect(map(new RealtimeError('conflict', 'x', { seat: 1 }))).toHaveProperty('details', { seat: 1 });
    expect(map(new WsException({ message: 'x', details: [1] }))).toHaveProperty('details', [1]);
  });

  it('lists what did not pass validation', () => {
    const details = [{ property: 'items.0.price', constraints: { min: 'price must not be less than 0' } }];
    expect(map(new ValidationFailedError(details))).toMatchObject({ code: 'validation_failed', details });
  });

  it.each([
    ['an Error', new Error('password is hunter2')],
    ['a TypeError', new TypeError("Cannot read properties of undefined (reading 'hunter2')")],
    ['a 500', new InternalServerErrorException('hunter2')],
    ['a 501', new NotImplementedException('hunter2')],
    ['an internal RealtimeError', new RealtimeError('internal', 'hunter2', { secret: 'hunter2' })],
    ['a SerializationError', new SerializationError('hunter2', undefined, new Error('x'))],
    ['text', 'hunter2'],
    ['an object', { password: 'hunter2' }],
    ['an object that is no text', Object.assign(Object.create(null) as object, { password: 'hunter2' })],
  ])('tells the client nothing of %s, and the log everything', (_what, error) => {
    expect(map(error)).toEqual(INTERNAL);
    expect(logger.text).toContain('The handler of "say" failed');
    expect(logger.text).toContain('hunter2');
  });

  it('stands exceptions without a body', () => {
    const bare = new HttpException('x', 403);
    jest.spyOn(bare, 'getResponse').mockReturnValue(null as unknown as string);
    expect(map(bare)).toEqual({ code: 'forbidden', message: 'x' });
  });

  it('stands anything that can be thrown', () => {
    const hostile = {
      toString: () => {
        throw new Error('no');
      },
      get stack() {
        throw new Error('no');
      },
    };
    expect(map(hostile)).toEqual(INTERNAL);
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }), (thrown) => {
        const data = mapper.toErrorData(thrown, 'x');
        expect(isErrorCode(data.code) && typeof data.message === 'string').toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
