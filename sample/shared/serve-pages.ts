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

/**
 * Serves a sample's page, and under `/shared/` what the samples' pages share.
 *
 * @param sample the sample's folder, such as `01-chat`
 */
export function servePages(app: NestExpressApplication, sample: string): void {
  const setHeaders = (response: { setHeader(name: string, value: string): unknown }): void => {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
  };
  app.useStaticAssets(samplePath(sample, 'public'), { setHeaders });
  app.useStaticAssets(samplePath('shared', 'public'), { setHeaders, prefix: '/shared/' });
}
