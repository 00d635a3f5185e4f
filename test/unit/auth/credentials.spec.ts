import * as fc from 'fast-check';
import { MalformedCredentialsError, MissingCredentialsError } from '../../../lib/auth/authentication.errors';
import { checkToken, findToken, MAX_TOKEN_BYTES, type RequestTokenSource } from '../../../lib/auth/credentials';
import { bearer, requestWith, subprotocol } from './requests';

const BEARER: RequestTokenSource[] = ['header', 'subprotocol'];
const headerToken = fc.stringMatching(/^[!-~]{1,200}$/);
const caseOf = (word: string): fc.Arbitrary<string> =>
  fc.mixedCase(fc.constant(word), {
    toggleCase: (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()),
  });

function find(headers: Record<string, string>, sources = BEARER, url?: string): unknown {
  const lookup = findToken(requestWith(headers, url), sources);
  return lookup.token === undefined ? lookup.error.constructor : lookup.token;
}

describe('the Authorization header', () => {
  it('gives the token whatever the case of the scheme and the space around the token', () => {
    const space = fc.stringMatching(/^[ \t]{0,5}$/);
    fc.assert(
      fc.property(headerToken, caseOf('bearer'), space, space, (token, scheme, before, after) => {
        expect(find({ authorization: `${scheme} ${before}${token}${after}` })).toBe(token);
      }),
    );
  });

  it('is split at the first space only', () => {
    expect(find({ authorization: 'Bearer one two  three' })).toBe('one two  three');
  });

  it('is malformed with any other scheme', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,20}$/), headerToken, (scheme, token) => {
        fc.pre(scheme.toLowerCase() !== 'bearer');
        expect(find({ authorization: `${scheme} ${token}` })).toBe(MalformedCredentialsError);
      }),
    );
  });

  it.each(['Bearer', 'Bearer ', 'bearer    ', 'Bearertoken', 'token', ' Bearer token', 'Bearer\ttoken', 'Basic YTpi'])(
    'is malformed as %p',
    (authorization) => {
      expect(find({ authorization })).toBe(MalformedCredentialsError);
    },
  );

  it('is missing when absent or empty', () => {
    expect(find({})).toBe(MissingCredentialsError);
    expect(find({ authorization: '' })).toBe(MissingCredentialsError);
  });

  it('never throws, and answers a token or one of the two errors', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.string(),
        (header, protocols, url) => {
          const answer = find(
            { authorization: header, 'sec-websocket-protocol': protocols },
            [...BEARER, 'query'],
            url,
          );
          const known = answer === MalformedCredentialsError || answer === MissingCredentialsError;
          expect(known || (typeof answer === 'string' && answer.trim() === answer && answer !== '')).toBe(true);
        },
      ),
    );
  });

  it('carries at most 8 KiB', () => {
    expect(find(bearer('x'.repeat(MAX_TOKEN_BYTES)))).toHaveLength(MAX_TOKEN_BYTES);
    expect(find(bearer('x'.repeat(MAX_TOKEN_BYTES + 1)))).toBe(MalformedCredentialsError);
    expect(find(bearer('é'.repeat(MAX_TOKEN_BYTES / 2 + 1)))).toBe(MalformedCredentialsError);
  });
});

describe('the bearer subprotocol entry', () => {
  it('gives any token that was encoded into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (token) => {
        fc.pre(token.trim() !== '');
        expect(find(subprotocol(token))).toBe(token.trim());
      }),
    );
  });

  it.each([
    ['empty', 'bearer.'],
    ['padded', 'bearer.YQ=='],
    ['in plain base64', 'bearer.a+/b'],
    ['of an impossible length', 'bearer.abcde'],
    ['no UTF-8', `bearer.${Buffer.from([0xff, 0xfe]).toString('base64url')}`],
    ['only space', `bearer.${Buffer.from('   ').toString('base64url')}`],
    ['given twice', 'bearer.YWFh, bearer.YmJi'],
    ['oversize', `bearer.${Buffer.from('x'.repeat(MAX_TOKEN_BYTES + 1)).toString('base64url')}`],
  ])('is malformed when it is %s', (_what, entry) => {
    expect(find({ 'sec-websocket-protocol': `realtime.v1, ${entry}` })).toBe(MalformedCredentialsError);
  });

  it('is missing when no entry is a bearer one', () => {
    expect(find({ 'sec-websocket-protocol': 'realtime.v1, graphql-ws, bearer' })).toBe(MissingCredentialsError);
  });

  it('comes after the header', () => {
    expect(find({ ...bearer('from-header'), ...subprotocol('from-entry') })).toBe('from-header');
  });

  it('is used when the header has another scheme, as a browser behind Basic authentication sends it', () => {
    expect(find({ authorization: 'Basic YTpi', ...subprotocol('from-entry') })).toBe('from-entry');
  });
});

describe('the query', () => {
  it('gives any token that was encoded into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (token) => {
        fc.pre(token.trim() !== '');
        expect(find({}, ['query'], `/ws?room=1&${new URLSearchParams({ token }).toString()}`)).toBe(token.trim());
      }),
    );
  });

  it.each(['/ws?token=a&token=b', '/ws?token=', '/ws?token', '/ws?token=%20', '/ws?token=a&%74oken=b'])(
    'is malformed as %p',
    (url) => {
      expect(find({}, ['query'], url)).toBe(MalformedCredentialsError);
    },
  );

  it.each(['/ws', '/ws?', '/ws?tokens=a', '/ws?Token=a', ''])('is missing in %p', (url) => {
    expect(find({}, ['query'], url)).toBe(MissingCredentialsError);
  });

  it('is not looked at unless it is asked for', () => {
    expect(find({}, BEARER, '/ws?token=secret')).toBe(MissingCredentialsError);
  });
});

describe('checkToken', () => {
  it.each([undefined, null, 1, {}, [], ['token'], true])('finds %p malformed', (value) => {
    expect(checkToken(value, 'refresh')).toBeInstanceOf(MalformedCredentialsError);
  });

  it('never names the token in its error', () => {
    const error = checkToken(`secret-${'x'.repeat(MAX_TOKEN_BYTES)}`, 'refresh') as MalformedCredentialsError;
    expect(error.reason).not.toContain('secret-');
  });
});
