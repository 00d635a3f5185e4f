import type { SubscribeChannelOptions } from './decorators';
import type { HandlerArguments } from './handler-context';

/** A handler method, ready to be called: guards, pipes, interceptors and filters around it. */
export interface Handler {
  /** `RoomChannel.say`, for logs. */
  readonly name: string;
  readonly pattern: string;
  readonly options: SubscribeChannelOptions;
  /** @throws whatever the method, or an enhancer around it, throws and no filter answers */
  invoke(args: HandlerArguments): Promise<unknown>;
}
