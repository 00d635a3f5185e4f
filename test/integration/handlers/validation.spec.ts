import {
  BadRequestException,
  type CanActivate,
  HttpStatus,
  Injectable,
  Module,
  NotFoundException,
  ParseArrayPipe,
  type PipeTransform,
  type Type,
  UseGuards,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { MessageBody, WsException } from '@nestjs/websockets';
import { Type as TypeOf } from 'class-transformer';
import { IsArray, IsInt, IsOptional, IsString, MaxLength, Min, ValidateNested } from 'class-validator';
import { OnMessage, SubscribeChannel } from 'nestjs-realtime';
import { createApp as start, type TestApp, type TestAppOptions } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient, type TestFrame } from '../../support/test-client';

class ItemDto {
  @IsString()
  name!: string;

  @IsInt()
  @Min(1)
  count!: number;
}

class OrderDto {
  @IsString()
  @MaxLength(5)
  title!: string;

  @IsArray()
  @ValidateNested({ each: true })
  @TypeOf(() => ItemDto)
  items!: ItemDto[];

  @IsOptional()
  @ValidateNested()
  @TypeOf(() => ItemDto)
  gift?: ItemDto;
}

class OptionalDto {
  @IsOptional()
  @IsString()
  note?: string;
}

@Injectable()
class Orders {
  @OnMessage('order')
  order(@MessageBody() order: OrderDto): unknown {
    return { instance: order instanceof OrderDto, items: order.items.map((item) => item instanceof ItemDto), keys: Object.keys(order) };
  }

  @OnMessage('optional')
  optional(@MessageBody() body: OptionalDto): unknown {
    return { instance: body instanceof OptionalDto };
  }

  @SubscribeChannel('orders')
  publish(@MessageBody() order: OrderDto): unknown {
    return order;
  }

  @OnMessage('property')
  property(@MessageBody('item') item: ItemDto): unknown {
    return item.count;
  }
}

const GOOD = { title: 'ok', items: [{ name: 'a', count: 1 }] };
const BAD = { title: 'too long', items: [{ name: 'a', count: 1 }, { name: 7, count: 0 }], gift: { count: 'x' } };
const DETAILS = [
  { property: 'title', constraints: { maxLength: 'title must be shorter than or equal to 5 characters' } },
  { property: 'items.1.name', constraints: { isString: 'name must be a string' } },
  { property: 'items.1.count', constraints: { min: 'count must not be less than 1' } },
  { property: 'gift.name', constraints: { isString: 'name must be a string' } },
  { property: 'gift.count', constraints: { isInt: expect.any(String), min: expect.any(String) } },
];

const globally = (pipe: ValidationPipe): TestAppOptions => ({ prepare: (app) => app.useGlobalPipes(pipe) });

/** The ways in which an application may, or may not, validate by itself. */
const PIPES: [string, TestAppOptions][] = [
  ['no pipe', {}],
  ['a global ValidationPipe', globally(new ValidationPipe())],
  ['one with transform', globally(new ValidationPipe({ transform: true }))],
  ['one without transform', globally(new ValidationPipe({ transform: false }))],
  ['one with whitelist', globally(new ValidationPipe({ whitelist: true, transform: true }))],
  ['one that forbids what is not whitelisted', globally(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }))],
  ['one with another status', globally(new ValidationPipe({ errorHttpStatusCode: HttpStatus.UNPROCESSABLE_ENTITY }))],
  ['one without messages', globally(new ValidationPipe({ disableErrorMessages: true }))],
  ['one that throws a WsException', globally(new ValidationPipe({ exceptionFactory: (errors) => new WsException(errors) }))],
  ['one that throws an error of its own', globally(new ValidationPipe({ exceptionFactory: () => new Error('mine') }))],
  ['one that throws no error', globally(new ValidationPipe({ exceptionFactory: () => 'a string' }))],
  ['one as APP_PIPE', { providers: [{ provide: APP_PIPE, useClass: ValidationPipe }] }],
];

describe.each(PIPES)('a class-validator DTO with %s', (_, options) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await start({ ...options, providers: [Orders, ...(options.providers ?? [])] });
    app.app.useLogger(false);
  });
  afterAll(() => app.close());
  const connect = (): Promise<TestClient> => TestClient.connect(`${app.url}/ws`);

  it('a message that breaks its rules is answered with validation_failed and the path of every property', async () => {
    const client = await connect();
    const expected = { code: 'validation_failed', message: expect.any(String), details: DETAILS };
    expect(await client.request({ type: 'order', data: BAD })).toMatchObject({ type: 'error', data: expected });
    await client.subscribe('orders');
    expect(await client.request({ type: 'chat', channel: 'orders', data: BAD })).toMatchObject({
      type: 'error',
      channel: 'orders',
      data: expected,
    });
  });

  it('one that keeps them arrives as an instance', async () => {
    const client = await connect();
    expect((await client.request({ type: 'order', data: GOOD })).data).toMatchObject({ instance: true, items: [true] });
  });

  it('a property of the body is held to its own class', async () => {
    const client = await connect();
    const failed = await client.request({ type: 'property', data: { item: { name: 'a', count: 0 } } });
    expect(failed.data).toMatchObject({ code: 'validation_failed', details: [{ property: 'count' }] });
    expect((await client.request({ type: 'property', data: { item: { name: 'a', count: 2 } } })).data).toBe(2);
  });

  it.each([[undefined], [null], ['text'], [7], [true], [[]], [[GOOD]]])('%j is no order', async (data) => {
    const client = await connect();
    expect((await client.request({ type: 'order', data })).data).toMatchObject({ code: 'validation_failed' });
  });
});

describe('validation of DTOs', () => {
  const createApp = testApps();
  const STRICT = { whitelist: true, forbidNonWhitelisted: true };
  const NOT_WHITELISTED = [
    { property: 'admin', constraints: { whitelistValidation: 'property admin should not exist' } },
    { property: 'items.0.hidden', constraints: { whitelistValidation: 'property hidden should not exist' } },
  ];
  const SMUGGLED = { title: 'ok', items: [{ name: 'a', count: 1, hidden: 1 }], admin: true };

  const request = async (options: TestAppOptions, message: object): Promise<TestFrame> => {
    const app = await createApp({ ...options, providers: [Orders, ...(options.providers ?? [])] });
    const client = await TestClient.connect(`${app.url}/ws`);
    return client.request(message);
  };

  it.each([
    ['the option "validation"', { realtime: { validation: STRICT } }],
    ['a global pipe', globally(new ValidationPipe(STRICT))],
    ['a global pipe and no validation by the module', { ...globally(new ValidationPipe(STRICT)), realtime: { validation: false as const } }],
    ['a pipe with an exceptionFactory', globally(new ValidationPipe({ ...STRICT, exceptionFactory: () => new WsException('no') }))],
  ])('properties that %s forbids are named', async (_, options) => {
    const failed = await request(options, { type: 'order', data: SMUGGLED });
    const details = failed.data.details as { property: string }[];
    expect(failed.data.code).toBe('validation_failed');
    expect(details.toSorted((a, b) => a.property.localeCompare(b.property))).toEqual(NOT_WHITELISTED);
  });

  it.each([
    ['the option "validation"', { realtime: { validation: { whitelist: true } } }],
    ['a global pipe', globally(new ValidationPipe({ whitelist: true }))],
  ])('properties without rules do not reach the handler, with whitelist in %s', async (_, options) => {
    const { keys } = (await request(options, { type: 'order', data: SMUGGLED })).data;
    expect(keys).toContain('title');
    expect(keys).not.toContain('admin');
  });

  it('a DTO of optional properties refuses what is no object, and takes a missing body for an empty one', async () => {
    const app = await createApp({ providers: [Orders] });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const data of ['text', 7, true, []]) {
      expect((await client.request({ type: 'optional', data })).data).toMatchObject({ code: 'validation_failed' });
    }
    expect((await client.request({ type: 'optional' })).data).toEqual({ instance: true });
  });

  it('is off with validation: false and no pipe', async () => {
    const realtime = { validation: false as const };
    expect((await request({ realtime }, { type: 'optional', data: { note: 7 } })).data).toEqual({ instance: false });
  });

  it('a pipe on the method or the parameter is enough', async () => {
    @Injectable()
    class Handlers {
      @OnMessage('method')
      @UsePipes(new ValidationPipe({ exceptionFactory: () => new WsException('mine') }))
      method(@MessageBody() body: ItemDto): unknown {
        return body;
      }

      @OnMessage('parameter')
      parameter(@MessageBody(new ValidationPipe()) body: ItemDto): unknown {
        return body;
      }
    }
    const app = await createApp({ providers: [Handlers], realtime: { validation: false } });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const type of ['method', 'parameter']) {
      const { data } = await client.request({ type, data: { name: 'a', count: 0 } });
      expect(data).toMatchObject({ code: 'validation_failed', details: [{ property: 'count', constraints: { min: expect.any(String) } }] });
    }
  });

  it('does not cover what a guard or the handler itself throws about a bad body', async () => {
    @Injectable()
    class Muted implements CanActivate {
      canActivate(): boolean {
        throw new WsException({ code: 'forbidden', message: 'muted' });
      }
    }
    @Injectable()
    class Handlers {
      @OnMessage('muted')
      @UseGuards(Muted)
      muted(@MessageBody() body: ItemDto): unknown {
        return body;
      }

      @OnMessage('late')
      late(@MessageBody() body: ItemDto): void {
        throw new WsException(`too late for ${body.name}`);
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'muted', data: {} })).data).toEqual({ code: 'forbidden', message: 'muted' });
    expect((await client.request({ type: 'late', data: { name: 'a', count: 1 } })).data).toEqual({
      code: 'bad_request',
      message: 'too late for a',
    });
  });

  it('of a pipe that validates in its own way keeps what it says', async () => {
    @Injectable()
    class OwnPipe implements PipeTransform {
      transform(): never {
        throw new BadRequestException(['name must be spelled backwards', 'count is odd']);
      }
    }
    @Injectable()
    class Handlers {
      @OnMessage('own')
      @UsePipes(OwnPipe)
      own(@MessageBody() body: unknown): unknown {
        return body;
      }

      @OnMessage('own.dto')
      @UsePipes(OwnPipe)
      dto(@MessageBody() body: ItemDto): unknown {
        return body;
      }

      @OnMessage('list')
      list(@MessageBody(new ParseArrayPipe({ items: ItemDto })) items: ItemDto[]): unknown {
        return items.map((item) => item instanceof ItemDto);
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'own' })).data).toMatchObject({
      code: 'validation_failed',
      details: [
        { property: 'name', constraints: { invalid: 'name must be spelled backwards' } },
        { property: 'count', constraints: { invalid: 'count is odd' } },
      ],
    });
    expect((await client.request({ type: 'own.dto', data: { name: 'a', count: 0 } })).data.details).toEqual([
      { property: 'count', constraints: { min: 'count must not be less than 1' } },
    ]);
    expect((await client.request({ type: 'list', data: [{ name: 'a', count: 0 }] })).data.code).toBe('validation_failed');
    expect((await client.request({ type: 'list', data: [{ name: 'a', count: 1 }] })).data).toEqual([true]);
  });

  it('of a pipe that loads what a body stands for is no matter of the loaded class', async () => {
    @Injectable()
    class LoadItem implements PipeTransform<unknown, ItemDto> {
      transform(value: unknown): ItemDto {
        if (value !== 7) throw new NotFoundException('no such item');
        return Object.assign(new ItemDto(), { name: 'a', count: 1 });
      }
    }
    @Injectable()
    class Handlers {
      @OnMessage('load')
      load(@MessageBody('id', LoadItem) item: ItemDto): unknown {
        return item;
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'load', data: { id: 7 } })).data).toEqual({ name: 'a', count: 1 });
    expect((await client.request({ type: 'load', data: { id: 8 } })).data).toEqual({ code: 'not_found', message: 'no such item' });
  });

  it('works in a module that knows nothing of this one', async () => {
    @Module({ providers: [Orders] })
    class OrderModule {}
    const app = await createApp({ imports: [OrderModule as Type] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'order', data: {} })).data.code).toBe('validation_failed');
  });

  it('many at once are told apart by their ids', async () => {
    const app = await createApp({ providers: [Orders] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, i) => client.request({ type: 'property', data: { item: { name: 'a', count: i % 2 } } })),
    );
    expect(replies.map(({ type }) => type)).toEqual(Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 'error' : 'ack')));
  });
});
