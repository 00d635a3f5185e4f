import { AuthenticationService } from '../../../../lib/auth/authentication.service';
import { bearerToken, queryToken } from '../../../../lib/auth/authenticators/tokens';
import { AuthenticatorOptionsError } from '../../../../lib/auth/configuration.errors';
import { bearer, requestWith, subprotocol } from '../requests';

describe.each([
  ['bearerToken', bearerToken, requestWith(bearer('token-a'))],
  ['bearerToken by subprotocol', bearerToken, requestWith(subprotocol('token-a'))],
  ['queryToken', queryToken, requestWith({}, '/ws?token=token-a')],
])('%s', (_name, create, request) => {
  it('gives its function the token and the request', async () => {
    const validate = jest.fn(() => Promise.resolve({ userId: 'alice', claims: { a: 1 } }));
    const result = await new AuthenticationService(create(validate)).authenticate(request);
    expect(result).toEqual({ valid: true, user: { id: 'alice', claims: { a: 1 } } });
    expect(validate).toHaveBeenCalledWith('token-a', request);
  });

  it.each<null | undefined | false>([undefined, null, false])(
    'refuses when its function answers %p',
    async (answer) => {
      const result = await new AuthenticationService(create(() => answer)).authenticate(request);
      expect(result).toMatchObject({ valid: false, error: { code: 'invalid_credentials' } });
    },
  );

  it('never calls its function without a token', async () => {
    const validate = jest.fn(() => 'somebody');
    expect(await create(validate).authenticate({ request: requestWith() })).toMatchObject({ valid: false });
    expect(validate).not.toHaveBeenCalled();
  });

  it('refuses anything but a function', () => {
    expect(() => create('secret' as never)).toThrow(AuthenticatorOptionsError);
  });
});

describe('the place of the token', () => {
  it('is not the query for bearerToken, nor the header for queryToken', async () => {
    const query = requestWith({}, '/ws?token=token-a');
    const header = requestWith(bearer('token-a'));
    expect((await new AuthenticationService(bearerToken(() => 'alice')).authenticate(query)).valid).toBe(false);
    expect((await new AuthenticationService(queryToken(() => 'alice')).authenticate(header)).valid).toBe(false);
  });
});
