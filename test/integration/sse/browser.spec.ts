import { Controller, Get, Header } from '@nestjs/common';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from '../../support/browser';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { waitFor } from '../../support/wait-for';

const PAGE = `<!doctype html><link rel="icon" href="data:,"><script>
  const base = new URLSearchParams(location.search).get('base') ?? '';
  const got = [];
  const source = new EventSource(base + '/ws/events?channel=kept:a&channel=kept:b', { withCredentials: base !== '' });
  source.onmessage = ({ data, lastEventId }) => got.push({ ...JSON.parse(data), lastEventId });
</script>`;

interface PageState {
  got: { type: string; channel?: string; data?: unknown; recovered?: boolean }[];
}

@Controller()
class Pages {
  @Get('page')
  @Header('Content-Type', 'text/html')
  page(): string {
    return PAGE;
  }
}

describe("Chromium's EventSource", () => {
  const start = testApps();
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it('gets every frame as a message, and resumes all channels by itself after the connection was lost', async () => {
    const realtime = { channels: { 'kept:{name}': { history: { size: 100, ttl: '1m' as const } } } };
    const { port, hub, app } = await start({ realtime, controllers: [Pages] });
    const { page, problems } = await openPage(browser, `http://127.0.0.1:${port}/page`);
    const got = (): Promise<PageState['got']> => page.evaluate<PageState['got']>('got');
    await waitFor('both channels', async () => (await got()).filter(({ type }) => type === 'subscribed').length === 2);
    await hub.publish('kept:a', 'one\ntwo', { type: 'n' });
    await waitFor('a message', async () => (await got()).some(({ data }) => data === 'one\ntwo'));
    expect((await got())[0]).toMatchObject({ type: 'connected' });

    (app.getHttpServer() as { closeAllConnections(): void }).closeAllConnections();
    await waitFor('the loss to be seen', () => hub.stats().clients === 0);
    await hub.publish('kept:b', 'missed', { type: 'n' });
    await waitFor('what was missed', async () => (await got()).some(({ data }) => data === 'missed'));
    expect((await got()).filter(({ recovered }) => recovered)).toHaveLength(2);
    expect((await got()).filter(({ type }) => type === 'n')).toHaveLength(2);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('reads across origins where the origin is allowed', async () => {
    const pages = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(PAGE));
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    const { port, hub } = await start({ realtime: { origins: [origin], channels: { '*': {} } } });
    const { page } = await openPage(browser, `${origin}/?base=http://127.0.0.1:${port}`);
    await waitFor('both channels', async () => {
      const got = await page.evaluate<PageState['got']>('got');
      return got.filter(({ type }) => type === 'subscribed').length === 2;
    });
    expect(hub.connections()).toMatchObject([{ transport: 'sse' }]);
    await page.close();
    await new Promise((resolve) => pages.close(resolve));
    const other = await EventStream.open(`http://127.0.0.1:${port}/ws/events`);
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
    other.close();
  });
});
