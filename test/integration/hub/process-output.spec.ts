import { Injectable, NotFoundException } from '@nestjs/common';
import { ChannelParam, OnSubscribe, ProcessOutputService } from 'nestjs-realtime';
import type { TestAppOptions } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';

@Injectable()
class Builds {
  @OnSubscribe('process:{id}')
  watch(@ChannelParam('id') id: string): void {
    if (!id.startsWith('build-')) throw new NotFoundException(`There is no process ${id}`);
  }
}

describe('CHECKLIST 28: the output of a process', () => {
  const createApp = testApps();

  it('is nobody\'s by default: the refusal says how to open it, and publishing works', async () => {
    const app = await createApp();
    const client = await TestClient.connect(`${app.url}/ws`);
    const reply = await client.request({ type: 'subscribe', channel: 'process:build-42' });
    expect(reply).toMatchObject({ type: 'error', data: { code: 'forbidden', message: expect.stringContaining('a pattern in the module') } });
    expect(await app.app.get(ProcessOutputService).output('build-42', 'line')).toEqual({ delivered: 'cluster' });
  });

  it.each<[string, TestAppOptions]>([
    ['a pattern in channels', { realtime: { channels: { 'process:{id}': {} } } }],
    ['a pattern for all channels', { realtime: { channels: { '*': {} } } }],
    ['an @OnSubscribe handler', { providers: [Builds] }],
  ])('is for clients with %s', async (_what, options) => {
    const app = await createApp(options);
    const output = app.app.get(ProcessOutputService);
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('process:build-42');
    await output.output('build-42', 'Compiling main.go...');
    await output.status('build-42', 'exited', 0);
    expect(await client.next('process_output')).toMatchObject({ channel: 'process:build-42', data: 'Compiling main.go...' });
    expect(await client.next('process_status')).toMatchObject({ channel: 'process:build-42', data: { status: 'exited', exitCode: 0 } });
  });
});
