import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { samplePath } from '../../shared/paths';
import { PAGE_HEADERS, servePages } from '../../shared/serve-pages';

const PANEL = '<link rel="stylesheet" href="cluster/panel.css">\n  <script type="module" src="cluster/panel.js"></script>\n  ';

/** Serves the page of 01-chat with the panel in it: its script comes first, so that it sees the chat connect. */
export function servePageWithPanel(app: NestExpressApplication): void {
  app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (new URL(request.url ?? '/', 'http://localhost').pathname === '/') sendPage(response);
    else next();
  });
  servePages(app, '03-many-instances');
  servePages(app, '01-chat');
}

function sendPage(response: ServerResponse): void {
  const page = readFileSync(samplePath('01-chat', 'public', 'index.html'), 'utf8');
  response.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page.replace('<script', `${PANEL}<script`));
}
