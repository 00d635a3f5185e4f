import { type RealtimeModuleOptions, redisAdapter } from 'nestjs-realtime';

/**
 * The one place where the samples choose what connects their instances: Redis where `REDIS_URL` names one, else the
 * in-memory adapter, with one process and nothing to install.
 */
export function chooseAdapter(redisUrl: string | undefined): RealtimeModuleOptions['adapter'] {
  return redisAdapter({ url: redisUrl });
}
