import { Handshake, parseQuery } from '../../../lib/hub/handshake';

describe('Handshake', () => {
  it('parses the query of the URL', () => {
    expect({ ...new Handshake('/ws?a=1&b=x%20y&a=2&a=3&c', '').query }).toEqual({ a: ['1', '2', '3'], b: 'x y', c: '' });
    expect({ ...new Handshake('/ws', '').query }).toEqual({});
  });

  it('has nothing for a connection without a request', () => {
    expect([Handshake.none.url, Handshake.none.remoteAddress, { ...Handshake.none.query }]).toEqual(['', '', {}]);
    expect(Object.isFrozen(Handshake.none)).toBe(true);
  });
});

describe('parseQuery', () => {
  it('pollutes nothing', () => {
    const query = parseQuery('/ws?__proto__=x&__proto__=y&constructor=z&toString=t');
    expect(Object.getPrototypeOf(query)).toBeNull();
    expect(Object.entries(query)).toEqual([
      ['__proto__', ['x', 'y']],
      ['constructor', 'z'],
      ['toString', 't'],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each(['/ws?%', '/ws?a=%ff', '/ws?&&=&', '/ws??a=1', '/ws?a=1?b=2#c'])('stands %j', (url) => {
    expect(() => parseQuery(url)).not.toThrow();
  });
});
