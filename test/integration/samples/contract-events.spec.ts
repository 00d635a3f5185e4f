import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage, PHONE } from '../../support/browser';
import { RedisServer } from '../../support/redis-server';
import { refusal, TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { ROOT } from './build-samples';
import { SampleProcess } from './sample-process';

let server: RedisServer;
let redis: Redis;
let sample: SampleProcess;
let browser: Browser;

/** An entry as the indexer writes it. @returns its id */
async function append(contractId: string, topics: unknown[], n: number): Promise<string> {
  const fields = {
    contract_id: contractId,
    ledger_sequence: '52000001',
    ledger_timestamp: '2026-06-03T16:29:00.000Z',
    transaction_hash: 'ab'.repeat(32),
    event_index: String(n),
    event_type: 'contract',
    topics: JSON.stringify(topics),
    data: JSON.stringify({ amount: n }),
  };
  return (await redis.xadd('contract-events', '*', ...Object.entries(fields).flat()))!;
}

function connect(query: string): Promise<TestClient> {
  return TestClient.connect(`${sample.socketUrl}?${query}`);
}

function run(script: string, env: Record<string, string>): ReturnType<typeof spawnSync> {
  return spawnSync(process.execPath, [join(ROOT, 'dist-sample', '04-contract-events', script)], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
}

beforeAll(async () => {
  server = await RedisServer.start();
  redis = server.client();
  sample = await SampleProcess.start('04-contract-events', { REDIS_URL: server.url });
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await sample?.stop();
  redis?.disconnect();
  await server?.stop();
});

it('answers 400 before the upgrade when contractId is missing', async () => {
  const { status, body } = await refusal(sample.socketUrl);
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain('contractId');
});

it('sends the events of the contract, and of the first topic where one is asked for, with their entries\' ids', async () => {
  const [all, transfers, others] = await Promise.all([
    connect('contractId=CA'),
    connect('contractId=CA&topic0=transfer'),
    connect('contractId=CB'),
  ]);
  await Promise.all([all, transfers, others].map((client) => client.next('subscribed')));

  const mint = await append('CA', ['mint', 'bob'], 0);
  const transfer = await append('CA', ['transfer', 'ann', 'bob'], 1);
  const other = await append('CB', ['transfer'], 2);

  expect((await all.next('contract_event')).data).toMatchObject({ id: mint, topics: ['mint', 'bob'] });
  expect((await all.next('contract_event')).data).toEqual({
    id: transfer,
    contract_id: 'CA',
    ledger_sequence: 52_000_001,
    ledger_timestamp: '2026-06-03T16:29:00.000Z',
    transaction_hash: 'ab'.repeat(32),
    event_index: 1,
    event_type: 'contract',
    topics: ['transfer', 'ann', 'bob'],
    data: { amount: 1 },
  });
  expect((await transfers.next('contract_event')).data.id).toBe(transfer);
  expect((await others.next('contract_event')).data.id).toBe(other);
  await Promise.all([all, transfers, others].map((client) => client.settled()));
  expect([all, transfers, others].flatMap((client) => client.ofType('contract_event'))).toEqual([]);
  await Promise.all([all, transfers, others].map((client) => client.close()));
});

it('serves five clients, and lets them go', async () => {
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect('contractId=CM')));
  await Promise.all(clients.map((client) => client.next('subscribed')));
  const id = await append('CM', ['mint'], 0);
  const events = await Promise.all(clients.map((client) => client.next('contract_event')));
  expect(events.map(({ data }) => data.id)).toEqual(Array.from({ length: 5 }, () => id));
  await Promise.all(clients.map((client) => client.close()));
  const again = await connect('contractId=CM');
  expect((await again.next('subscribed')).recoverable).toBe(true);
  await again.close();
});

it('continues a client from the stream', async () => {
  const first = await connect('contractId=CR&topic0=burn');
  await first.next('subscribed');
  await append('CR', ['burn'], 0);
  const { cursor, channel } = await first.next('contract_event');
  await first.close();
  const missed = [await append('CR', ['burn'], 1), await append('CR', ['burn'], 2)];
  await append('CR', ['mint'], 3);

  const again = await connect('contractId=CR&topic0=burn');
  await again.next('subscribed');
  const joined = await again.subscribe(channel!, { cursor });
  expect(joined.recovered).toBe(true);
  await again.settled();
  expect(again.ofType('contract_event').map(({ data }) => data.id)).toEqual(missed);
  await again.close();
});

it('says that it needs Redis, and so does the feeder', () => {
  for (const script of ['main.js', 'feed.js']) {
    const { status, stdout, stderr } = run(script, { REDIS_URL: '' });
    expect(status).toBe(1);
    expect(`${String(stdout)}${String(stderr)}`).toContain('REDIS_URL');
  }
});

it('shows on its page what the feeder has written and what comes, on a desktop and on a phone', async () => {
  expect(run('feed.js', { REDIS_URL: server.url, COUNT: '12', PAUSE: '0' }).status).toBe(0);
  for (const options of [{}, PHONE]) {
    const { page, problems } = await openPage(browser, sample.url, options);
    await page.getByLabel('Contract', { exact: true }).fill('CTOKEN');
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.getByText('Live').waitFor();
    const events = page.getByRole('log').getByRole('listitem');
    await waitFor('what was there', async () => (await events.count()) >= 4);
    const before = await events.count();
    const id = await append('CTOKEN', ['approve', 'zoe'], 9);
    await page.locator(`li[data-id="${id}"]`).waitFor();
    expect(await events.count()).toBe(before + 1);
    expect(await events.first().getAttribute('data-id')).toBe(id);
    expect(problems).toEqual([]);
    await page.context().close();
  }
});

it('says on its page what the server says of a contract that is none, and stays away', async () => {
  const { page } = await openPage(browser, `${sample.url}#contractId=no%20contract`);
  const log = page.getByRole('log');
  await page.getByText('contractId is required: 1 to 128 characters').waitFor();
  expect(await page.locator('#connection').textContent()).toBe('');

  await page.getByLabel('Contract', { exact: true }).fill('CX');
  await page.keyboard.press('Enter');
  await page.getByText('Live').waitFor();
  await append('CX', ['mint'], 1);
  await log.getByText('mint').waitFor();

  await page.evaluate('location.hash = ""');
  await page.getByText('Choose a contract').waitFor();
  expect([await log.getByRole('listitem').count(), await page.locator('#connection').textContent()]).toEqual([0, '']);
  await page.context().close();
});

it('shows all of an event on a phone, and as text, whatever is in it', async () => {
  const { page, problems } = await openPage(browser, `${sample.url}#contractId=CL`, PHONE);
  await page.getByText('Live').waitFor();
  const topics = ['<img src=x onerror=alert(1)>', 'account-'.repeat(30), { nested: '<script>' }];
  await append('CL', topics, 1);
  const event = page.getByRole('log').getByRole('listitem');
  await event.getByText('<img src=x onerror=alert(1)>').waitFor();
  expect(await event.locator('img').count()).toBe(0);
  expect(await event.getByText(`${'account-'.repeat(30)} → {"nested":"<script>"}`).isVisible()).toBe(true);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(problems).toEqual([]);
  await page.context().close();
});
