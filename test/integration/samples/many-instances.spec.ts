import { connect } from 'node:net';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from '../../support/browser';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { SampleProcess } from './sample-process';

interface Instance {
  id: number;
  pid?: number;
  state: string;
  visitors: { connectionId: string; name: string }[];
}

let sample: SampleProcess;
let browser: Browser;

async function instances(): Promise<Instance[]> {
  return (await (await fetch(new URL('cluster/instances', sample.url))).json()) as Instance[];
}

/** The instance that somebody is connected to, once it has said so. */
function instanceOf(name: string): Promise<Instance> {
  return waitFor(`the instance of ${name}`, async () =>
    (await instances()).find(({ visitors }) => visitors.some((visitor) => visitor.name === name)),
  );
}

const kill = ({ id }: Instance, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(new URL(`cluster/instances/${id}/kill`, sample.url), { method: 'POST', headers });

const allUp = (): Promise<boolean> => waitFor('three instances', async () => (await instances()).every(({ state }) => state === 'up'));
const enter = (name: string): Promise<TestClient> => TestClient.connect(`${sample.socketUrl}?name=${name}`);

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

beforeAll(async () => {
  // Without REDIS_URL: it brings a Redis of its own.
  sample = await SampleProcess.start('03-many-instances');
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await sample?.stop();
});

it('is one chat, and who was on an instance that is killed goes on elsewhere and misses nothing', async () => {
  const [ada, grace] = [await enter('Ada'), await enter('Grace')];
  await Promise.all([ada, grace].map((client) => client.subscribe('room:lobby')));
  const [hers, other] = [await instanceOf('Ada'), await instanceOf('Grace')];
  expect(hers.id).not.toBe(other.id);

  await grace.request({ type: 'chat', channel: 'room:lobby', data: { text: 'before' } });
  const { data, cursor } = await ada.next('chat');
  expect(data).toMatchObject({ name: 'Grace', text: 'before' });

  expect((await kill(hers)).status).toBe(202);
  expect((await ada.closed).code).toBe(1006);
  await grace.request({ type: 'chat', channel: 'room:lobby', data: { text: 'meanwhile' } });

  const again = await enter('Ada');
  expect(await again.subscribe('room:lobby', { cursor })).toMatchObject({ recovered: true });
  expect((await again.next('chat')).data).toMatchObject({ text: 'meanwhile' });
  await grace.request({ type: 'chat', channel: 'room:lobby', data: { text: 'after' } });
  expect((await again.next('chat')).data).toMatchObject({ text: 'after' });
  expect((await instanceOf('Ada')).id).not.toBe(hers.id);

  await allUp();
  expect((await instances()).map(({ pid }) => pid)).not.toContain(hers.pid);
  await Promise.all([again.close(), grace.close()]);
});

it("shows on the page which instance serves it, and recovers when that one is killed by the page's own button", async () => {
  await allUp();
  const { page, problems } = await openPage(browser, `${sample.url}#engineering`);
  await page.getByLabel('Your name').fill('Alan');
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.getByText(/Instance \d, serves you/).waitFor();
  const hers = await instanceOf('Alan');
  await page.getByText(`Instance ${hers.id}, serves you`).waitFor();
  await page.locator('.member', { hasText: 'Alan' }).waitFor();

  const grace = await enter('Grace');
  await grace.subscribe('room:engineering');
  // On the same instance she would be cut off too; the next one to come is not.
  const elsewhere = (await instanceOf('Grace')).id === hers.id ? await enter('Joan') : grace;
  if (elsewhere !== grace) await elsewhere.subscribe('room:engineering');
  await page.getByRole('button', { name: `Kill instance ${hers.id}` }).click();
  await waitFor('the end of the instance', async () => (await instances()).find(({ id }) => id === hers.id)?.state !== 'up');
  await elsewhere.request({ type: 'chat', channel: 'room:engineering', data: { text: 'Still with us?' } });

  await page.locator('.message-text').getByText('Still with us?', { exact: true }).waitFor();
  await page.getByText(/Instance \d, serves you/).waitFor();
  expect((await instanceOf('Alan')).pid).not.toBe(hers.pid);
  expect(await page.locator('.message-text').allTextContents()).toEqual(['Still with us?']);
  expect(problems).toEqual([]);
  await page.context().close();
  await Promise.all([...new Set([grace, elsewhere])].map((client) => client.close()));
});

it("kills nothing for another site's page", async () => {
  await allUp();
  const before = await instances();
  expect((await kill(before[0]!, { origin: 'https://elsewhere.example' })).status).toBe(404);
  expect((await instances()).map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
});

it('leaves nothing running behind when it is killed', async () => {
  const doomed = await SampleProcess.start('03-many-instances');
  const [, port] = /redis:\/\/127\.0\.0\.1:(\d+)/.exec(doomed.log)!;
  const started = (await (await fetch(new URL('cluster/instances', doomed.url))).json()) as Instance[];
  expect(await accepts(Number(port))).toBe(true);
  await doomed.kill();
  await waitFor('the end of Redis', async () => !(await accepts(Number(port))));
  await waitFor('the end of the instances', () => started.every(({ pid }) => !isRunning(pid!)));
});

it('says what to do where there is no Redis', async () => {
  await expect(SampleProcess.start('03-many-instances', { PATH: '' })).rejects.toThrow(/no redis-server on PATH: install Redis .*REDIS_URL=/);
});
