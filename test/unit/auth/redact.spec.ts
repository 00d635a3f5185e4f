import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { redactRequest, redactSecret, redactToken, withoutSecret } from '../../../lib/auth/redact';

const TOKEN = 's3cr3t-t0k3n+/=';

describe('redactToken', () => {
  it.each([
    ['/ws?token=abc', '/ws?token=[redacted]'],
    ['/ws?token=abc&room=1', '/ws?token=[redacted]&room=1'],
    ['/ws?room=1&token=abc&token=def', '/ws?room=1&token=[redacted]&token=[redacted]'],
    ['/ws?%74oken=abc', '/ws?%74oken=[redacted]'],
    ['/ws?%74%6f%6B%65%6e=abc', '/ws?%74%6f%6B%65%6e=[redacted]'],
    ['/ws?TOKEN=abc', '/ws?TOKEN=[redacted]'],
    ['/ws?token=a=b=c', '/ws?token=[redacted]'],
    ['/ws?token=abc#def', '/ws?token=[redacted]'],
    ['/ws?+token=abc', '/ws?+token=[redacted]'],
    ['https://example.com/ws?a=%zz&token=%zz', 'https://example.com/ws?a=%zz&token=[redacted]'],
    ['/ws?token', '/ws?token'],
    ['/ws?tokens=abc&room=token', '/ws?tokens=abc&room=token'],
    ['/ws?%=1&%zz=2&=3', '/ws?%=1&%zz=2&=3'],
    ['/ws', '/ws'],
    ['', ''],
  ])('makes %p to %p', (url, expected) => {
    expect(redactToken(url)).toBe(expected);
  });

  it('leaves no token that the query would be read to have, and nothing else is changed', () => {
    const name = fc.oneof(
      fc.constantFrom('token', '%74oken', 'to%6Ben'),
      fc.webQueryParameters().map((text) => text.replaceAll(/[=&]/g, '')),
    );
    const parameters = fc.array(fc.tuple(name, fc.stringMatching(/^[!$'()*,;:@a-z0-9%+=/?]{0,12}$/)), { maxLength: 6 });
    fc.assert(
      fc.property(parameters, (list) => {
        const query = list.map(([key, value]) => `${key}=${value}`).join('&');
        const before = [...new URLSearchParams(query)];
        const after = [...new URLSearchParams(redactToken(`/ws?${query}`).slice('/ws?'.length))];
        expect(after).toEqual(
          before.map(([key, value]) => [key, key.trim().toLowerCase() === 'token' ? '[redacted]' : value]),
        );
      }),
    );
  });
});

describe('redactSecret', () => {
  it('takes out the token as it is, percent-encoded, and as its subprotocol entry', () => {
    const forms = [TOKEN, encodeURIComponent(TOKEN), Buffer.from(TOKEN).toString('base64url')];
    expect(redactSecret(`a ${forms.join(' b ')} c`, TOKEN)).toBe('a [redacted] b [redacted] b [redacted] c');
  });

  it('takes any text for a token, half surrogate pairs too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 4 }), (token) => {
        expect(redactSecret(`<${token}>`, token)).not.toContain(`<${token}>`);
      }),
    );
  });
});

describe('withoutSecret', () => {
  it('hands out the error itself when the token is nowhere in it', () => {
    const error = Object.assign(new Error('no'), { response: { status: 503 } });
    expect(withoutSecret(error, TOKEN)).toBe(error);
  });

  it.each([
    ['its message', new Error(`bad ${TOKEN}`)],
    ['the request it holds', Object.assign(new Error('no'), { config: { headers: { a: `Bearer ${TOKEN}` } } })],
    ['its cause', new Error('no', { cause: new Error(TOKEN) })],
    ['a text that was thrown', `bad ${TOKEN}`],
    ['an object that was thrown', { token: TOKEN }],
  ])('hands out a copy without the token when it is in %s', (_where, error) => {
    const copy = withoutSecret(error, TOKEN);
    expect(copy).toBeInstanceOf(Error);
    expect(inspect(copy, { depth: null, showHidden: true })).not.toContain(TOKEN);
  });

  it.each(['it\'s "quoted"', 'back\\slash', 'two\nlines', 'émoji 😀'])('finds a token of %p too', (token) => {
    const error = Object.assign(new Error('no'), { config: { token } });
    expect(JSON.stringify(withoutSecret(error, token))).not.toContain(JSON.stringify(token));
  });

  it('survives an error that cannot be shown', () => {
    const error = Object.assign(new Error(`bad ${TOKEN}`), {
      [inspect.custom]() {
        throw new Error('cannot be shown');
      },
    });
    expect(inspect(withoutSecret(error, TOKEN))).not.toContain(TOKEN);
  });
});

describe('redactRequest', () => {
  it.each([
    ['a bearer token', { authorization: 'Bearer top-secret' }, '/ws', 'no top-secret here'],
    ['credentials of another scheme', { authorization: 'Basic top-secret' }, '/ws', 'no top-secret here'],
    ['a header without a scheme', { authorization: 'top-secret' }, '/ws', 'no top-secret here'],
    ['a cookie', { cookie: 'sid=top-secret' }, '/ws', "{ cookie: 'sid=top-secret' }"],
    ["a cookie's value by itself", { cookie: 'theme=dark; sid=top-secret-0123456789' }, '/ws', 'no session top-secret-0123456789'],
    ['what an encoded one says', { cookie: 'sid=s%3Atop-secret-0123456789; a=b' }, '/ws', 'no session s:top-secret-0123456789'],
    ['one that is quoted', { cookie: 'sid="top-secret-0123456789"' }, '/ws', 'no session top-secret-0123456789'],
    ['a subprotocol entry', { 'sec-websocket-protocol': 'realtime.v1, bearer.dG9wLXNlY3JldA' }, '/ws', 'no dG9wLXNlY3JldA'],
    ['what that says', { 'sec-websocket-protocol': 'bearer.dG9wLXNlY3JldA' }, '/ws', 'no top-secret here'],
    ['a token in the query', {}, '/ws?x=1&token=top-secret', 'at /ws?x=1&token=top-secret'],
    ['an encoded one', {}, '/ws?%74oken=top%2Dsecret', 'at /ws?%74oken=top%2Dsecret'],
    ['what an encoded one says', {}, '/ws?token=top%2Dsecret', 'no top-secret here'],
  ])('leaves out %s', (_what, headers, url, text) => {
    const redacted = redactRequest(text, { headers, url });
    expect(redacted).toContain('[redacted]');
    expect(redacted).not.toMatch(/top-secret|top%2Dsecret|dG9wLXNlY3JldA/);
  });

  it('leaves the words of short cookies alone, which protect nothing', () => {
    const request = { headers: { cookie: 'theme=dark; consent=true; broken=%E0%A4%A' }, url: '/ws' };
    expect(redactRequest('true: a dark day', request)).toBe('true: a dark day');
  });

  it('leaves a text alone that has nothing of the request', () => {
    const request = { headers: { authorization: 'Bearer top-secret', cookie: '' }, url: '/ws?room=lobby&token=' };
    expect(redactRequest('no database in /ws?room=lobby', request)).toBe('no database in /ws?room=lobby');
    expect(redactRequest('no database', { headers: {}, url: undefined })).toBe('no database');
  });
});
