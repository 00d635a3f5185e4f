import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from '../../support/browser';
import { TestClient, type TestFrame } from '../../support/test-client';
import { SampleProcess } from './sample-process';

interface ProcessInfo {
  id: string;
  channel: string;
  status: string;
}

let sample: SampleProcess;
let browser: Browser;

async function call(method: string, path: string, body?: object): Promise<Response> {
  return fetch(new URL(path, sample.url), {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
}

async function start(job: string): Promise<ProcessInfo> {
  const response = await call('POST', 'api/processes', { job });
  expect(response.status).toBe(201);
  return (await response.json()) as ProcessInfo;
}

const isEnd = (frame: TestFrame): boolean => frame.type === 'process_status';
const linesIn = (client: TestClient): string[] => client.ofType('process_output').map(({ data }) => data as string);

beforeAll(async () => {
  // The jobs make pauses, for the eye; PACE shortens them.
  sample = await SampleProcess.start('02-process-output', { PACE: '0.1' });
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await sample?.stop();
  await browser?.close();
});

describe('a process that an HTTP call started', () => {
  it('streams its lines to who watches, in their order, and its status at the end', async () => {
    const client = await TestClient.connect(sample.socketUrl);
    const { channel } = await start('build');
    await client.subscribe(channel, { replay: 1000 });

    expect((await client.take(isEnd)).data).toEqual({ status: 'exited', exitCode: 0 });
    const lines = linesIn(client);
    expect(lines[0]).toBe('> lighthouse@2.4.0 build');
    expect(lines.at(-1)).toBe('  done');
    expect(lines.some((line) => line.includes('warning'))).toBe(true);
    await client.close();
  });

  it('tells its exit code when it fails, and shows all of it to who comes late', async () => {
    const first = await TestClient.connect(sample.socketUrl);
    const { channel } = await start('test');
    await first.subscribe(channel, { replay: 1000 });
    expect((await first.take(isEnd)).data).toEqual({ status: 'exited', exitCode: 1 });

    const late = await TestClient.connect(sample.socketUrl);
    const { data } = await late.subscribe(channel, { replay: 1000 });
    expect(data).toMatchObject({ status: 'exited', exitCode: 1 });
    await late.take(isEnd);
    expect(linesIn(late)).toEqual(linesIn(first));
    await Promise.all([first.close(), late.close()]);
  });

  it('is announced to everybody, and can be stopped', async () => {
    const client = await TestClient.connect(sample.socketUrl);
    const { id, channel } = await start('backup');
    expect((await client.take(({ type, data }) => type === 'process:started' && data.id === id)).channel).toBeUndefined();
    await client.subscribe(channel);

    expect((await call('DELETE', `api/processes/${id}`)).status).toBe(204);
    expect((await client.take(isEnd)).data).toEqual({ status: 'stopped' });
    expect((await call('DELETE', `api/processes/${id}`)).status).toBe(404);
    await client.close();
  });
});

it('refuses jobs and processes that are not there', async () => {
  expect((await call('POST', 'api/processes', { job: 'rm -rf /' })).status).toBe(400);
  const client = await TestClient.connect(sample.socketUrl);
  const reply = await client.request({ type: 'subscribe', channel: 'process:nothing' });
  expect(reply).toMatchObject({ type: 'error', data: { code: 'not_found', message: 'There is no process nothing' } });
  await client.close();
});

it('runs no more processes at a time than it says', async () => {
  const running = await Promise.all([start('backup'), start('backup'), start('backup'), start('backup')]);
  const refused = await call('POST', 'api/processes', { job: 'build' });
  expect(refused.status).toBe(429);
  await Promise.all(running.map(({ id }) => call('DELETE', `api/processes/${id}`)));
});

describe('the page', () => {
  it('starts a process and shows its lines and how it ended; another one that comes late shows the same', async () => {
    const first = await openPage(browser, sample.url);
    await first.page.getByRole('button', { name: /^Test/ }).click();
    await first.page.getByText('Exited with code 1').waitFor();

    const second = await openPage(browser, first.page.url());
    await second.page.getByText('Exited with code 1').waitFor();
    await second.page.getByText('5 passed, 1 failed').waitFor();
    const lines = await first.page.getByRole('log').getByRole('listitem').allTextContents();
    expect(lines[0]).toBe('> lighthouse@2.4.0 test');
    expect(await second.page.getByRole('log').getByRole('listitem').allTextContents()).toEqual(lines);
    expect([...first.problems, ...second.problems]).toEqual([]);
  });
});
