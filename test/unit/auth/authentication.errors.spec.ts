import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import {
  AuthenticationError,
  InvalidCredentialsError,
  MalformedCredentialsError,
  MissingCredentialsError,
  toAuthenticationError,
} from '../../../lib/auth/authentication.errors';

const errors = [new MissingCredentialsError('a'), new MalformedCredentialsError('b'), new InvalidCredentialsError('c')];

describe('authentication errors', () => {
  it("are one 401 for the client, with the body of Nest's own", () => {
    const body = new UnauthorizedException().getResponse();
    for (const error of errors) {
      expect(error).toBeInstanceOf(UnauthorizedException);
      expect(error.getStatus()).toBe(401);
      expect(error.getResponse()).toEqual(body);
      expect(error.message).toBe('Unauthorized');
    }
    const cause = new Error('the reason, for the server');
    expect(new InvalidCredentialsError('d', cause).getResponse()).toEqual(body);
  });

  it('are three distinct ones for the server', () => {
    expect(errors.map((error) => [error.name, error.code, error.reason])).toEqual([
      ['MissingCredentialsError', 'missing_credentials', 'a'],
      ['MalformedCredentialsError', 'malformed_credentials', 'b'],
      ['InvalidCredentialsError', 'invalid_credentials', 'c'],
    ]);
  });

  it('keep their cause for the server', () => {
    const cause = new Error('down');
    expect(new InvalidCredentialsError('c', cause).cause).toBe(cause);
  });
});

describe('toAuthenticationError', () => {
  it("gives the error itself, or one around the 401 of an application's guard", () => {
    const foreign = new UnauthorizedException('Session ended');
    expect(toAuthenticationError(errors[0])).toBe(errors[0]);
    expect(toAuthenticationError(foreign)).toBeInstanceOf(InvalidCredentialsError);
    expect((toAuthenticationError(foreign) as AuthenticationError).cause).toBe(foreign);
  });

  it.each([new ForbiddenException(), new Error('bug'), undefined, 'text'])('is undefined for %p', (exception) => {
    expect(toAuthenticationError(exception)).toBeUndefined();
  });
});
