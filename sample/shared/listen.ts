import type { AddressInfo } from 'node:net';
import { type INestApplication, Logger } from '@nestjs/common';
import { Environment } from './environment';

/** Listens where the environment says, and logs the URL to open. */
export async function listen(app: INestApplication, name: string): Promise<void> {
  const { port, host } = app.get(Environment);
  await (host === undefined ? app.listen(port) : app.listen(port, host));
  const { port: chosen } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const shownHost = host?.includes(':') ? `[${host}]` : (host ?? 'localhost');
  new Logger('Sample').log(`${name} is at http://${shownHost}:${chosen}/`);
}
