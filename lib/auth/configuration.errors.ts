/**
 * A guard that needs an authenticator, in an application that configured none. Stops the start.
 *
 * @publicApi
 */
export class MissingAuthenticatorError extends Error {
  override readonly name = 'MissingAuthenticatorError';

  /** @param guard name of the guard's class */
  constructor(readonly guard: string) {
    super(
      `${guard} needs an authenticator and none is configured. Set \`auth.authenticator\` in the options of ` +
        "RealtimeModule, for example `auth: { authenticator: apiKeys({ [process.env.API_KEY]: 'user-1' }) }` or " +
        '`auth: { authenticator: jwt({ secret }) }`, or take the guard out of `guards`.',
    );
  }
}

/**
 * `auth.authenticator` is nothing that can authenticate. Stops the start.
 *
 * @publicApi
 */
export class InvalidAuthenticatorError extends Error {
  override readonly name = 'InvalidAuthenticatorError';

  /**
   * @param setting what was configured, in words
   * @param problem what is wrong with it
   */
  constructor(
    readonly setting: string,
    problem: string,
    cause?: unknown,
  ) {
    super(
      `\`auth.authenticator\` is ${setting}: ${problem}. Allowed are an object or class with an ` +
        'authenticate(credentials) method, a function of the credentials, or the injection token of one of these.',
      cause === undefined ? undefined : { cause },
    );
  }
}

/**
 * An option of an authenticator is wrong. Thrown where the authenticator is made, so before the start. Secrets and keys
 * are never part of the text.
 *
 * @publicApi
 */
export class AuthenticatorOptionsError extends Error {
  override readonly name = 'AuthenticatorOptionsError';

  /**
   * @param authenticator the function that was called, such as `jwt`
   * @param option the option's name
   * @param problem what is wrong and what is allowed
   */
  constructor(
    readonly authenticator: string,
    readonly option: string,
    problem: string,
    cause?: unknown,
  ) {
    super(`${authenticator}(): \`${option}\` ${problem}`, cause === undefined ? undefined : { cause });
  }
}

/**
 * `jwt()` is used and the package jose cannot be loaded. Stops the start.
 *
 * @publicApi
 */
export class MissingJoseError extends Error {
  override readonly name = 'MissingJoseError';

  constructor(cause: unknown) {
    super('jwt() needs the package "jose" (version 5 or 6), which could not be loaded. Install it: npm install jose', {
      cause,
    });
  }
}
