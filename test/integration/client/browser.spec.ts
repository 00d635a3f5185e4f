import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage } from '../../support/browser';
import type { TestApp } from '../../support/create-app';
import { TcpProxy } from '../../support/tcp-proxy';
import { testApps } from '../../support/test-apps';
import { waitFor } from '../../support/wait-for';
import { ROOT } from '../../unit/architecture/library-sources';

/** A page that keeps what its client tells it. The query has options. */
const PAGE = `<!doctype html><title>tab</title><link rel="icon" href="data:,"><script type="module">
  import { RealtimeClient } from '/realtime-client.mjs';
  const { kept, ...figures } = Object.fromEntries(new URLSearchParams(location.search));
  const options = { minDelay: 20, maxDelay: 200, transports: ['websocket', 'sse'] };
  for (const [name, value] of Object.entries(figures)) options[name] = Number(value);
  const client = new RealtimeClient('/ws', { ...options, storage: kept && sessionStorage });
  const tab = { messages: [], events: [], states: [], transport: '' };
  client.on('state', (state, { transport }) => {
    tab.states.push(state);
    tab.transport = transport ?? tab.transport;
  });
  const news = client.channel('news:all');
  news.on('message', (data) => tab.messages.push(data));
  news.on('subscribed', ({ recovered }) => tab.events.push(recovered === undefined ? 'new' : recovered ? 'recovered' : 'lost'));
  news.on('reset', () => tab.events.push('reset'));
  globalThis.tab = tab;
  news.subscribe();
</script>`;

interface Tab {
  messages: unknown[];
  events: string[];
  states: string[];
  transport: string;
}

let folder: string;

@Controller()
class Pages {
  @Get('page')
  @Header('Content-Type', 'text/html')
  page(): string {
    return PAGE;
  }

  @Get('realtime-client.mjs')
  @Header('Content-Type', 'text/javascript')
  client(): string {
    return readFileSync(join(folder, 'browser.mjs'), 'utf8');
  }
}

describe('the one file of the client, in Chromium', () => {
  const startApp = testApps();
  const pages: Page[] = [];
  let browser: Browser;
  let app: TestApp;
  let way: TcpProxy;
  let problems: string[];

  const start = (): Promise<TestApp> =>
    startApp({ controllers: [Pages], realtime: { channels: { '*': { history: { size: 100, ttl: '1h' } } } } });
  const tabOf = (page: Page): Promise<Tab> => page.evaluate<Tab>('globalThis.tab ?? { messages: [], events: [], states: [] }');
  const publish = (data: unknown): Promise<unknown> => app.hub.publish('news:all', data);
  const hears = (page: Page, data: unknown): Promise<unknown> =>
    waitFor(JSON.stringify(data), async () => (await tabOf(page)).messages.includes(data));
  const happens = (page: Page, event: string): Promise<unknown> =>
    waitFor(event, async () => (await tabOf(page)).events.includes(event));
  const loses = (page: Page): Promise<unknown> =>
    waitFor('the loss', async () => (await tabOf(page)).states.includes('disconnected'));

  async function open(query = ''): Promise<Page> {
    const watched = await openPage(browser, `http://127.0.0.1:${way.port}/page${query}`);
    pages.push(watched.page);
    problems = watched.problems;
    await happens(watched.page, 'new');
    return watched.page;
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'client-browser-'));
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'build-client.mjs'), folder], { stdio: 'pipe' });
    browser = await launchBrowser();
  }, 120_000);
  beforeEach(async () => {
    app = await start();
    way = await TcpProxy.start(app.port);
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.context().close()));
    await way.stop();
    if (problems.length > 0) throw new Error(`The page had problems:\n${problems.join('\n')}`);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('works in two tabs that go offline and come back', async () => {
    const first = await open();
    const second = await first.context().newPage();
    await second.goto(first.url());
    await happens(second, 'new');
    await publish('one');
    await Promise.all([hears(first, 'one'), hears(second, 'one')]);

    await first.context().setOffline(true);
    await Promise.all([loses(first), loses(second)]);
    await publish('two');
    await first.context().setOffline(false);
    await Promise.all([hears(first, 'two'), hears(second, 'two')]);
    await publish('three');
    await Promise.all([hears(first, 'three'), hears(second, 'three')]);
    for (const page of [first, second]) {
      expect(await tabOf(page)).toMatchObject({ messages: ['one', 'two', 'three'], events: ['new', 'recovered'] });
    }
  });

  it('comes back to what it missed when the network is cut without a word', async () => {
    const page = await open();
    way.cut({ refuse: true });
    await loses(page);
    await publish('missed');
    way.heal();
    await hears(page, 'missed');
    expect(await tabOf(page)).toMatchObject({ messages: ['missed'], events: ['new', 'recovered'] });
  });

  it('tells of the gap when the server was restarted and has no history any more, and goes on', async () => {
    const page = await open();
    await publish('before');
    await hears(page, 'before');
    way.cut({ refuse: true });
    await app.close();
    app = await start();
    await publish('between');
    way.retarget(app.port);
    way.heal();
    await happens(page, 'reset');
    await publish('after');
    await hears(page, 'after');
    expect(await tabOf(page)).toMatchObject({ messages: ['before', 'after'], events: ['new', 'lost', 'reset'] });
  });

  it('is back at once when a background tab is looked at again', async () => {
    // By its own clock it would come back after ten minutes.
    const page = await open('?minDelay=600000&maxDelay=600000');
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    way.cut();
    await publish('missed');
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await loses(page);
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))");
    await hears(page, 'missed');
    expect((await tabOf(page)).events).toEqual(['new', 'recovered']);
  });

  it('keeps its position across a reload when given the storage of the tab', async () => {
    const page = await open('?kept=1');
    await publish('seen');
    await hears(page, 'seen');
    const url = page.url();
    await page.goto('about:blank');
    await publish('missed');
    await page.goto(url);
    await hears(page, 'missed');
    expect(await tabOf(page)).toMatchObject({ messages: ['missed'], events: ['recovered'] });
  });

  it('falls back to Server-Sent Events where no WebSocket gets through', async () => {
    const page = await open();
    await page.addInitScript(
      "globalThis.WebSocket = class extends WebSocket { constructor(url, protocols) { super(url.replace('/ws', '/nowhere'), protocols); } }",
    );
    await page.reload();
    await happens(page, 'new');
    await publish('over a stream');
    await hears(page, 'over a stream');
    way.cut({ refuse: true });
    await loses(page);
    await publish('missed');
    way.heal();
    await hears(page, 'missed');
    expect(await tabOf(page)).toMatchObject({
      messages: ['over a stream', 'missed'],
      events: ['new', 'recovered'],
      transport: 'sse',
    });
  });
});
