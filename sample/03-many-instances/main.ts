import { Logger } from '@nestjs/common';
import { Environment } from '../shared/environment';
import { Balancer } from './cluster/balancer';
import { Instances } from './cluster/instances';
import { panelRoutes } from './cluster/panel-routes';
import { RedisProcess } from './cluster/redis-process';

const COUNT = 3;
const logger = new Logger('Sample');

/** Redis unless there is one, three instances of the chat, and the balancer in front of them. */
async function main(): Promise<void> {
  const { port, host, redisUrl } = new Environment(process.env);
  const redis = redisUrl === undefined ? await RedisProcess.start() : undefined;
  const instances = new Instances(COUNT, redisUrl ?? redis!.url);
  const balancer = new Balancer(instances, panelRoutes(instances));
  const stop = async (): Promise<void> => {
    balancer.close();
    await instances.stop();
    balancer.cutOff();
    await redis?.stop();
  };
  try {
    if (redis) logger.log(`A Redis of its own is at ${redis.url}`);
    await instances.start();
    const chosen = await balancer.listen(port, host);
    logger.log(`The chat, ${COUNT} instances of it, is at http://${host ?? 'localhost'}:${chosen}/`);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // As Nest does it: the process ends by the signal, after everything else.
    process.once(signal, () => void stop().then(() => process.kill(process.pid, signal)));
  }
}

main().catch((error: unknown) => {
  logger.error((error as Error).message);
  process.exitCode = 1;
});
