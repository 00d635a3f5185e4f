import {
  BadGatewayException,
  BadRequestException,
  ConflictException,
  ForbiddenException,
  GoneException,
  HttpException,
  Injectable,
  InternalServerErrorException,
  NotFoundException,
  PayloadTooLargeException,
  RequestTimeoutException,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { MessageBody, WsException } from '@nestjs/websockets';
import { ErrorCode, OnMessage, OnSubscribe, RealtimeError, SubscribeChannel } from 'nestjs-realtime';
import { throwError } from 'rxjs';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { TestClient } from '../../support/test-client';

const INTERNAL = { code: 'internal', message: 'Internal server error' };
const circular: Record<string, unknown> = {};
circular['self'] = circular;

/** What handlers throw, and what the client is told. */
const ERRORS: [string, () => unknown, object][] = [
  ['BadRequestException', () => new BadRequestException('bad'), { code: 'bad_request', message: 'bad' }],
  ['BadRequestException of a list', () => new BadRequestException(['a', 'b']), { code: 'bad_request', message: 'a; b' }],
  ['UnauthorizedException', () => new UnauthorizedException(), { code: 'unauthorized', message: 'Unauthorized' }],
  ['ForbiddenException', () => new ForbiddenException('members only'), { code: 'forbidden', message: 'members only' }],
  ['NotFoundException', () => new NotFoundException('gone fishing'), { code: 'not_found', message: 'gone fishing' }],
  ['ConflictException', () => new ConflictException(), { code: 'conflict', message: 'Conflict' }],
  ['GoneException', () => new GoneException('over'), { code: 'bad_request', message: 'over' }],
  ['PayloadTooLargeException', () => new PayloadTooLargeException('big'), { code: 'limit_exceeded', message: 'big' }],
  ['UnprocessableEntityException', () => new UnprocessableEntityException('no'), { code: 'validation_failed', message: 'no' }],
  ['status 429', () => new HttpException('slow down', 429), { code: 'rate_limited', message: 'slow down' }],
  ['ServiceUnavailableException', () => new ServiceUnavailableException('soon'), { code: 'unavailable', message: 'soon' }],
  ['RequestTimeoutException', () => new RequestTimeoutException('late'), { code: 'bad_request', message: 'late' }],
  ['HttpException with a body', () => new HttpException({ message: 'custom', extra: 1 }, 409), { code: 'conflict', message: 'custom' }],
  ['HttpException without a body', () => new HttpException(null as never, 403), { code: 'forbidden', message: expect.any(String) }],
  ['WsException with a text', () => new WsException('no'), { code: 'bad_request', message: 'no' }],
  [
    'WsException with fields',
    () => new WsException({ code: 'not_found', message: 'no seat', details: { seat: 7 } }),
    { code: 'not_found', message: 'no seat', details: { seat: 7 } },
  ],
  ['WsException with an unknown code', () => new WsException({ code: 'teapot', message: 'short' }), { code: 'bad_request', message: 'short' }],
  ['WsException of null', () => new WsException(null as never), { code: 'bad_request', message: expect.any(String) }],
  [
    'RealtimeError',
    () => new RealtimeError('conflict', 'The seat is taken', { seat: '12A' }),
    { code: 'conflict', message: 'The seat is taken', details: { seat: '12A' } },
  ],
];

/** What is not meant for clients. */
const UNEXPECTED: [string, () => unknown][] = [
  ['an Error', () => new Error('secret detail')],
  ['a TypeError', () => new TypeError('secret detail')],
  ['InternalServerErrorException', () => new InternalServerErrorException('secret detail')],
  ['BadGatewayException', () => new BadGatewayException('secret detail')],
  ['a RealtimeError of internal', () => new RealtimeError(ErrorCode.Internal, 'secret detail', { secret: 'detail' })],
  ['a string', () => 'secret detail'],
  ['undefined', () => undefined],
  ['null', () => null],
  ['an object without a prototype', () => Object.create(null) as unknown],
  ['a symbol', () => Symbol('secret detail')],
  ['an error without a stack', () => Object.assign(new Error('secret detail'), { stack: undefined })],
  ['a RealtimeError whose details JSON cannot carry', () => new RealtimeError('conflict', 'x', circular)],
  ['a RealtimeError with a BigInt in its details', () => new RealtimeError('conflict', 'x', { big: 1n })],
  ['a WsException whose details JSON cannot carry', () => new WsException({ code: 'conflict', message: 'x', details: circular })],
];

const ALL: [string, () => unknown][] = [...ERRORS.map(([name, make]): [string, () => unknown] => [name, make]), ...UNEXPECTED];

@Injectable()
class Throwing {
  private make(name: string): unknown {
    return ALL.find(([known]) => known === name)![1]();
  }

  @OnMessage('throw')
  throwIt(@MessageBody() name: string): void {
    throw this.make(name);
  }

  @OnMessage('reject')
  reject(@MessageBody() name: string): Promise<never> {
    return Promise.reject(this.make(name));
  }

  @OnMessage('observable')
  observable(@MessageBody() name: string): unknown {
    return throwError(() => this.make(name));
  }

  @SubscribeChannel('say', { requireSubscription: false })
  say(@MessageBody() name: string): void {
    throw this.make(name);
  }

  @OnSubscribe('join:{name}')
  join(@MessageBody('name') name: string): void {
    throw this.make(name);
  }

  @OnMessage('unserialisable')
  unserialisable(): unknown {
    return circular;
  }

  @OnSubscribe('unserialisable')
  unserialisableJoin(): unknown {
    return 1n;
  }

  @SubscribeChannel('unserialisable')
  unserialisableSay(): unknown {
    return circular;
  }

  @SubscribeChannel('kept')
  kept(): unknown {
    return () => 'no JSON';
  }
}

describe.each(PLATFORMS)('errors of handlers, over %s', (platform) => {
  let app: TestApp;
  let client: TestClient;
  let logger: RecordingLogger;

  beforeAll(async () => {
    logger = new RecordingLogger();
    app = await createApp({
      platform,
      providers: [Throwing],
      realtime: { channels: { kept: { history: { size: 5, ttl: '1m' } } } },
      prepare: (nest) => nest.useLogger(logger),
    });
    client = await TestClient.connect(`${app.url}/ws`);
  });
  afterAll(() => app.close());
  afterEach(async () => {
    // Nothing of this ends a connection, or the process.
    await client.settled();
  });

  describe.each(['throw', 'reject', 'observable'])('of a request, by %s', (type) => {
    it.each(ERRORS)('%s reaches the client', async (name, _, expected) => {
      const reply = await client.request({ type, data: name });
      expect(reply).toEqual({ type: 'error', id: reply.id, data: expected, timestamp: expect.any(String) });
    });

    it.each(UNEXPECTED)('CHECKLIST 18: %s is internal, and the client learns nothing more', async (name) => {
      expect((await client.request({ type, data: name })).data).toEqual(INTERNAL);
    });
  });

  it.each(ERRORS)('of a publication: %s reaches the client, with the channel', async (name, _, expected) => {
    expect(await client.request({ type: 'chat', channel: 'say', data: name })).toMatchObject({
      type: 'error',
      channel: 'say',
      data: expected,
    });
  });

  it.each(ERRORS)('of a subscription: %s reaches the client, and nothing is subscribed to', async (name, _, expected) => {
    const message = { type: 'subscribe', channel: 'join:x', data: { name } };
    expect(await client.request(message)).toMatchObject({ type: 'error', channel: 'join:x', data: expected });
    expect(app.hub.channelInfo('join:x')).toBeUndefined();
  });

  it.each(UNEXPECTED)('of a publication: %s is internal', async (name) => {
    expect((await client.request({ type: 'chat', channel: 'say', data: name })).data).toEqual(INTERNAL);
  });

  it('the stack is in the log, and only there', async () => {
    logger.lines.length = 0;
    const reply = await client.request({ type: 'throw', data: 'an Error' });
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(logger.text).toContain('The handler of "throw" failed');
    expect(logger.text).toContain('Error: secret detail');
    expect(logger.text).toContain('errors.spec.ts');
  });

  it('what is meant for the client is not logged', async () => {
    logger.lines.length = 0;
    for (const [name] of ERRORS) await client.request({ type: 'throw', data: name });
    expect(logger.text).toBe('');
  });

  it('CHECKLIST 22: a result that JSON cannot carry is internal', async () => {
    expect((await client.request({ type: 'unserialisable' })).data).toEqual(INTERNAL);
    expect((await client.request({ type: 'subscribe', channel: 'kept' })).type).toBe('subscribed');
    expect((await client.request({ type: 'x', channel: 'kept' })).data).toEqual(INTERNAL);
    expect((await app.hub.history('kept')).publications).toEqual([]);
  });

  it('CHECKLIST 22: a subscribe handler’s result that JSON cannot carry leaves no subscription', async () => {
    expect((await client.request({ type: 'subscribe', channel: 'unserialisable' })).data).toEqual(INTERNAL);
    expect(app.hub.channelInfo('unserialisable')).toBeUndefined();
  });
});
