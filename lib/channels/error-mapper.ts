import { HttpException, Logger } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { describeError } from '../hub/describe-error';
import { ErrorCode, errorData, type ErrorData, INTERNAL_ERROR_MESSAGE, isErrorCode, RealtimeError } from '../protocol/errors';
import { ValidationFailedError } from './validation';

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: ErrorCode.Unauthorized,
  403: ErrorCode.Forbidden,
  404: ErrorCode.NotFound,
  409: ErrorCode.Conflict,
  413: ErrorCode.LimitExceeded,
  422: ErrorCode.ValidationFailed,
  429: ErrorCode.RateLimited,
  503: ErrorCode.Unavailable,
};

/**
 * Turns what a handler threw into what the client is told. Exceptions that are meant for the client keep their text;
 * of any other the client learns nothing, and the log everything.
 */
export class ErrorMapper {
  private readonly logger = new Logger('Realtime');

  toErrorData(error: unknown, where: string): ErrorData {
    if (error instanceof RealtimeError && error.code !== ErrorCode.Internal) return errorData(error);
    if (error instanceof ValidationFailedError) return fromValidation(error);
    if (error instanceof HttpException) return this.fromHttpException(error, where);
    if (error instanceof WsException) return fromWsException(error);
    return this.internal(error, where);
  }

  private fromHttpException(exception: HttpException, where: string): ErrorData {
    const status = exception.getStatus();
    const code = CODE_OF_STATUS[status] ?? (status >= 500 ? ErrorCode.Internal : ErrorCode.BadRequest);
    if (code === ErrorCode.Internal) return this.internal(exception, where);
    return { code, message: messageOf(exception) };
  }

  private internal(error: unknown, where: string): ErrorData {
    this.logger.error(`${where} failed`, describeError(error));
    return { code: ErrorCode.Internal, message: INTERNAL_ERROR_MESSAGE };
  }
}

function fromValidation({ details }: ValidationFailedError): ErrorData {
  return { code: ErrorCode.ValidationFailed, message: 'The message did not pass validation: see "details".', details };
}

/** Nest keeps a list of messages when the exception was given one; the client gets them as one line. */
function messageOf(exception: HttpException): string {
  const response = exception.getResponse();
  const message = typeof response === 'string' ? response : (response as { message?: unknown } | null)?.message;
  if (Array.isArray(message)) return message.join('; ');
  return typeof message === 'string' ? message : exception.message;
}

/** A WsException may carry `{ code, message, details }`; with a text alone it is a bad request. */
function fromWsException(exception: WsException): ErrorData {
  const error: unknown = exception.getError();
  if (typeof error !== 'object' || error === null) return { code: ErrorCode.BadRequest, message: exception.message };
  const { code, message, details } = error as Partial<ErrorData>;
  return {
    code: isErrorCode(code) ? code : ErrorCode.BadRequest,
    message: typeof message === 'string' ? message : exception.message,
    ...(details === undefined ? {} : { details }),
  };
}
