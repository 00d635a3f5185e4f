export { AuthenticationService } from './authentication.service';
export {
  AuthenticationError,
  AuthenticationUnavailableError,
  InvalidCredentialsError,
  MalformedCredentialsError,
  MissingCredentialsError,
  toAuthenticationError,
} from './authentication.errors';
export {
  REALTIME_AUTHENTICATOR,
  type Authenticator,
  type AuthenticatorAnswer,
  type AuthenticatorFunction,
  type AuthenticatorSetting,
  type AuthResult,
  type Credentials,
  type TokenSource,
} from './authenticator';
export { apiKeys } from './authenticators/api-keys';
export { jwt } from './authenticators/jwt';
export type { JwtOptions } from './authenticators/jwt-options';
export { bearerToken, queryToken } from './authenticators/tokens';
export type { TokenValidator } from './authenticators/validate';
export {
  AuthenticatorOptionsError,
  InvalidAuthenticatorError,
  MissingAuthenticatorError,
  MissingJoseError,
} from './configuration.errors';
export { toConnectedUser, type ConnectedUser, type UserLike, type ValidationResult } from './connected-user';
export { MAX_TOKEN_BYTES, type RequestTokenSource } from './credentials';
export { anyOf } from './guards/any-of.guard';
export { isAuthenticatingGuard } from './guards/authenticating-guard';
export { BearerTokenGuard } from './guards/bearer-token.guard';
export { QueryTokenGuard } from './guards/query-token.guard';
export { TokenGuard } from './guards/token.guard';
export { identityOf } from './identity';
export { redactRequest, redactToken } from './redact';
export { resolveAuthenticator } from './resolve-authenticator';
