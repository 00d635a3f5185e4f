import type { AddressInfo } from 'node:net';
import { type INestApplication, Logger } from '@nestjs/common';
import { Environment } from './environment';

/** Listens where the environment says, and logs the URL to open. Where the port is taken it says so, and the process ends. */
export async function listen(app: INestApplication, name: string): Promise<void> {
  const { port, host } = app.get(Environment);
  const logger = new Logger('Sample');
  try {
    await (host === undefined ? app.listen(port) : app.listen(port, host));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    logger.error(`Port ${port} is in use. Choose another one, such as PORT=${port + 1}, or PORT=0 for any that is free.`);
    process.exitCode = 1;
    await app.close();
    return;
  }
  const { port: chosen } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const shownHost = host?.includes(':') ? `[${host}]` : (host ?? 'localhost');
  logger.log(`${name} is at http://${shownHost}:${chosen}/`);
}
