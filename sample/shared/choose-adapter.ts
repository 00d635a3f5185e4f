import { Logger } from '@nestjs/common';
import type { RealtimeModuleOptions } from 'nestjs-realtime';

/**
 * The one place where the samples choose what connects their instances. `undefined` is the in-memory adapter: one
 * process, nothing to install. A Redis adapter goes here and nowhere else.
 */
export function chooseAdapter(redisUrl: string | undefined): RealtimeModuleOptions['adapter'] {
  if (redisUrl !== undefined) {
    // The URL itself may hold a password, and stays out of the log.
    new Logger('Sample').warn(
      'REDIS_URL is set, but this version has only the in-memory adapter: it is not used, and this process stands alone.',
    );
  }
  return undefined;
}
