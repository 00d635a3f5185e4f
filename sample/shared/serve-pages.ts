import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { samplePath } from './paths';

/** The pages load nothing from elsewhere and run nothing that is not a file of their own. */
export const PAGE_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'self'",
    "connect-src 'self' ws: wss:",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // The browser asks whether a file has changed each time: nobody debugs yesterday's script.
  'Cache-Control': 'no-cache',
};

/** Where pages import the package's client from: `import { RealtimeClient } from '/realtime-client.mjs'`. */
const CLIENT_PATH = '/realtime-client.mjs';
/** One file, for pages without a bundler. */
const CLIENT_FILE = require.resolve('nestjs-realtime/client/browser');

/**
 * Serves a sample's page, the package's client, and under `/shared/` what the samples' pages share.
 *
 * @param sample the sample's folder, such as `01-chat`
 */
export function servePages(app: NestExpressApplication, sample: string): void {
  const setHeaders = (response: { setHeader(name: string, value: string): unknown }): void => {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
  };
  app.useStaticAssets(samplePath(sample, 'public'), { setHeaders });
  app.useStaticAssets(samplePath('shared', 'public'), { setHeaders, prefix: '/shared/' });
  app.use(CLIENT_PATH, (_request: IncomingMessage, response: ServerResponse) => {
    setHeaders(response);
    response.setHeader('Content-Type', 'text/javascript; charset=utf-8');
    createReadStream(CLIENT_FILE).pipe(response);
  });
}
