import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { requireTool } from './tools/executables.cjs';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A phone held upright. */
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** How long a page may take for anything that is waited for, in ms. */
const PATIENCE = 15_000;

/** Starts the machine's Chromium. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: requireTool('chromium'), args: FLAGS });
}

/** A page, and what went wrong on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, errors on the console and requests to other hosts. That a server is not there is none of them. */
  readonly problems: string[];
}

/** Opens a URL in a window of its own, which shares no storage with others. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const problems: string[] = [];
  const { host } = new URL(url);
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/net::ERR_|WebSocket connection to/.test(text)) problems.push(text);
  });
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.protocol.startsWith('http') && target.host !== host) problems.push(`loaded ${target.href}`);
  });
  await page.goto(url);
  return { page, problems };
}
