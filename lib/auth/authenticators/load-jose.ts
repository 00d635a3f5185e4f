import { MissingJoseError } from '../configuration.errors';

/** The parts in use; the same in jose 5 and 6. */
export type Jose = Pick<typeof import('jose'), 'jwtVerify' | 'createRemoteJWKSet'>;

/**
 * Loads the optional peer at first use. By `require`, which Node 20.19 and later can do with an ES module: `import()`
 * fails in an application's Jest tests, where `require` goes through Jest's own transforms.
 *
 * @throws MissingJoseError
 */
export function loadJose(): Jose {
  try {
    return require('jose') as Jose;
  } catch (error) {
    throw new MissingJoseError(error);
  }
}
