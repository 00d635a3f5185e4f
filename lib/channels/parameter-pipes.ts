import { type ArgumentMetadata, type PipeTransform, ValidationPipe } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { type DtoValidator, keepStructure } from './validation';

/** How Nest's context creator turns what a client sent into a parameter of the handler. */
type GetParamValue = (value: unknown, metadata: ArgumentMetadata, pipes: PipeTransform[]) => Promise<unknown>;

/**
 * Runs a parameter's pipes so that a failed validation tells which property broke which rule: by itself a ValidationPipe
 * makes lines of text of it, or whatever the application's `exceptionFactory` makes.
 */
export function structuredPipes(creator: ExternalContextCreator, validator: DtoValidator): GetParamValue {
  const views = new WeakMap<ValidationPipe, ValidationPipe>();
  const viewOf = (pipe: PipeTransform): PipeTransform => {
    if (!(pipe instanceof ValidationPipe)) return pipe;
    const view = views.get(pipe) ?? keepStructure(pipe);
    views.set(pipe, view);
    return view;
  };
  return async (value, metadata, pipes) => {
    try {
      return (await creator.getParamValue(value, metadata, pipes.map(viewOf))) as unknown;
    } catch (error) {
      throw await validator.explain(error, value, metadata.metatype);
    }
  };
}
