import { createRequire } from 'node:module';
import { BadRequestException, HttpException, type Type, ValidationPipe, type ValidationPipeOptions } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

/** One property that did not pass, as an `error` frame's `details` list it. @publicApi */
export interface ValidationDetail {
  /** Dotted path, as in `items.0.price`. */
  property: string;
  /** The broken constraints, by name, each with its message. */
  constraints: Record<string, string>;
}

/**
 * A message did not pass its DTO's class-validator rules. At the upgrade it is an ordinary 400; on a connection it becomes
 * an `error` frame with the code `validation_failed`.
 *
 * @publicApi
 */
export class ValidationFailedError extends BadRequestException {
  override name = 'ValidationFailedError';

  constructor(readonly details: ValidationDetail[]) {
    super({
      statusCode: 400,
      message: details.flatMap(({ constraints }) => Object.values(constraints)),
      error: 'Bad Request',
      details,
    });
  }
}

const BUILT_IN: ReadonlySet<unknown> = new Set([String, Number, Boolean, Array, Object, Buffer, Date, Promise, Map, Set]);

/** Whether a parameter's declared type is a class of the application's own, and not already the value's. */
function isDto(metatype: unknown): metatype is Type {
  return typeof metatype === 'function' && !BUILT_IN.has(metatype);
}

/**
 * Validates values against their DTO class, so that a handler never sees a body that breaks its rules, whether or not
 * the application has a ValidationPipe. It is Nest's own pipe, with errors that keep their structure.
 */
export class DtoValidator {
  private readonly pipe: ValidationPipe | undefined;

  /** @param options for Nest's ValidationPipe; false switches the validation off */
  constructor(options: ValidationPipeOptions | false) {
    if (options === false || !isInstalled('class-validator') || !isInstalled('class-transformer')) return;
    this.pipe = keepStructure(new ValidationPipe({ transform: true, ...options }));
  }

  /** @returns the value as an instance of its class. @throws ValidationFailedError */
  async validate(value: unknown, metatype: unknown): Promise<unknown> {
    if (this.pipe === undefined || !isDto(metatype) || value instanceof metatype) return value;
    return (await this.pipe.transform(value, { type: 'body', metatype })) as unknown;
  }

  /**
   * A pipe that validates in another way than Nest's may report a failure as lines of text. To tell the client which
   * property broke which rule, the same value is validated once more, with structure.
   */
  async explain(error: unknown, value: unknown, metatype: unknown): Promise<unknown> {
    const lines = linesOf(error);
    if (lines === undefined) return error;
    try {
      await this.validate(value, metatype);
    } catch (structured) {
      return structured;
    }
    return new ValidationFailedError(lines.map((line) => detailOf(line)));
  }
}

/** A view of a ValidationPipe whose exceptions keep their structure. The pipe itself may be in use elsewhere. */
export function keepStructure(pipe: ValidationPipe): ValidationPipe {
  const exceptionFactory = (errors: ValidationError[]): Error => new ValidationFailedError(flatten(errors));
  return Object.create(pipe, { exceptionFactory: { value: exceptionFactory } }) as ValidationPipe;
}

/** Statuses of a failed validation. */
const UNPROCESSABLE: ReadonlySet<number> = new Set([400, 422]);

function linesOf(error: unknown): string[] | undefined {
  if (!(error instanceof HttpException) || error instanceof ValidationFailedError) return undefined;
  const { message } = (error.getResponse() ?? {}) as { message?: unknown };
  const isList = UNPROCESSABLE.has(error.getStatus()) && Array.isArray(message);
  return isList ? message.map(String) : undefined;
}

/** class-validator's messages begin with the property's name. */
function detailOf(line: string): ValidationDetail {
  return { property: line.split(' ', 1)[0]!, constraints: { invalid: line } };
}

function flatten(errors: ValidationError[], path = ''): ValidationDetail[] {
  return errors.flatMap((error) => {
    const property = path + error.property;
    const own = error.constraints ? [{ property, constraints: error.constraints }] : [];
    return [...own, ...flatten(error.children ?? [], `${property}.`)];
  });
}

function isInstalled(name: string): boolean {
  try {
    createRequire(__filename).resolve(name);
    return true;
  } catch {
    return false;
  }
}
