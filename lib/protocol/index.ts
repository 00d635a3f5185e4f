export { CloseCode, isFinalCloseCode } from './close-codes';
export { ErrorCode, RealtimeError, isErrorCode, type ErrorData } from './errors';
export { ChannelPatternError, type ChannelParams } from './channel-pattern';
