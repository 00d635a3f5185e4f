import { BadRequestException, ForbiddenException, UnprocessableEntityException } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsInt, IsString, MaxLength, Min, ValidateNested } from 'class-validator';
import { DtoValidator, ValidationFailedError } from '../../../lib/channels/validation';

class Item {
  @IsString()
  name!: string;

  @Min(0)
  @IsInt()
  price!: number;
}

class Order {
  @MaxLength(5)
  @IsString()
  id!: string;

  @ValidateNested({ each: true })
  @ArrayMaxSize(2)
  @Type(() => Item)
  items!: Item[];
}

class Empty {}

async function failure(validator: DtoValidator, value: unknown, metatype: unknown = Order): Promise<ValidationFailedError> {
  const error: unknown = await validator.validate(value, metatype).then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(ValidationFailedError);
  return error as ValidationFailedError;
}

describe('DtoValidator', () => {
  const validator = new DtoValidator({});

  it('makes instances of the class, and of those in it', async () => {
    const order = (await validator.validate({ id: 'o1', items: [{ name: 'a', price: 1 }] }, Order)) as Order;
    expect(order).toBeInstanceOf(Order);
    expect(order.items[0]).toBeInstanceOf(Item);
  });

  it('says of each property which rules it breaks', async () => {
    const { details } = await failure(validator, { id: 5, items: [] });
    expect(details).toEqual([{ property: 'id', constraints: { maxLength: expect.any(String), isString: 'id must be a string' } }]);
  });

  it('says where in a nested value it is', async () => {
    const { details } = await failure(validator, { id: 'a', items: [{ name: 'a', price: 1 }, { name: 'b', price: -1 }] });
    expect(details).toEqual([{ property: 'items.1.price', constraints: { min: 'price must not be less than 0' } }]);
  });

  it.each([undefined, null, 5, 'text', [], true])('refuses %j for an object', async (value) => {
    expect((await failure(validator, value)).details.length).toBeGreaterThan(0);
  });

  it('is an ordinary 400 in HTTP', async () => {
    const error = await failure(validator, { id: 'a', items: [{ name: 1, price: 1 }] });
    expect(error).toBeInstanceOf(BadRequestException);
    expect(error.getStatus()).toBe(400);
    expect(error.getResponse()).toMatchObject({ message: ['name must be a string'], error: 'Bad Request' });
  });

  it.each([String, Number, Boolean, Array, Object, Date, undefined, null])('leaves values alone whose declared type is %p', async (metatype) => {
    const value = { any: 'thing' };
    expect(await validator.validate(value, metatype)).toBe(value);
  });

  it('validates what is an instance already no second time', async () => {
    const order = Object.assign(new Order(), { id: 5 });
    expect(await validator.validate(order, Order)).toBe(order);
  });

  it('takes the options of a ValidationPipe', async () => {
    const strict = new DtoValidator({ whitelist: true, forbidNonWhitelisted: true });
    const { details } = await failure(strict, { id: 'a', items: [], extra: 1 });
    expect(details).toEqual([{ property: 'extra', constraints: { whitelistValidation: 'property extra should not exist' } }]);
  });

  it('never lets a key of the payload reach a prototype', async () => {
    const payload: unknown = JSON.parse('{"id":"a","items":[],"__proto__":{"isAdmin":true}}');
    const order = (await validator.validate(payload, Order)) as Order & { isAdmin?: boolean };
    expect(Object.getPrototypeOf(order)).toBe(Order.prototype);
    expect(order.isAdmin).toBeUndefined();
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('is off with false', async () => {
    const value = { id: 5 };
    expect(await new DtoValidator(false).validate(value, Order)).toBe(value);
  });

  it('stands a class without a single rule', async () => {
    await expect(new DtoValidator({ whitelist: false }).validate({ a: 1 }, Empty)).resolves.toBeDefined();
  });

  describe('explain', () => {
    const value = { id: 5, items: [] };

    it('finds the properties behind the lines of another pipe', async () => {
      const error = new BadRequestException(['id must be a string']);
      expect(await validator.explain(error, value, Order)).toMatchObject({ details: [{ property: 'id' }] });
      const unprocessable = new UnprocessableEntityException(['id must be a string']);
      expect(await validator.explain(unprocessable, value, Order)).toMatchObject({ details: [{ property: 'id' }] });
    });

    it('takes the lines where it finds nothing wrong itself', async () => {
      const error = new BadRequestException(['id is known already']);
      expect(await validator.explain(error, { id: 'a', items: [] }, Order)).toMatchObject({
        details: [{ property: 'id', constraints: { invalid: 'id is known already' } }],
      });
    });

    it.each([new BadRequestException('just text'), new ForbiddenException(['a', 'b']), new Error('x'), 'text', undefined])(
      'leaves %p as it is',
      async (error) => {
        expect(await validator.explain(error, value, Order)).toBe(error);
      },
    );

    it('leaves what has its structure as it is', async () => {
      const error = new ValidationFailedError([{ property: 'x', constraints: {} }]);
      expect(await validator.explain(error, value, Order)).toBe(error);
    });
  });
});
