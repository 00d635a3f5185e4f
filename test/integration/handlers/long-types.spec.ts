import { Injectable } from '@nestjs/common';
import { SubscribeChannel } from 'nestjs-realtime';
import { PLATFORMS } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';

@Injectable()
class Rooms {
  @SubscribeChannel('broken:{id}', { requireSubscription: false })
  broken(): never {
    throw new Error('out of order');
  }

  @SubscribeChannel('unsendable:{id}', { requireSubscription: false })
  unsendable(): bigint {
    return 1n;
  }
}

describe.each(PLATFORMS)('what a client calls its message, over %s', (platform) => {
  const start = testApps(platform);

  it.each(['broken:1', 'unsendable:1'])('does not fill the log when the handler of %s fails', async (channel) => {
    const logger = new RecordingLogger();
    const app = await start({ providers: [Rooms], prepare: (nest) => nest.useLogger(logger) });
    const client = await TestClient.connect(`${app.url}/ws`);
    logger.lines.length = 0;
    const reply = await client.request({ type: 'x'.repeat(50_000), channel });
    expect(reply).toMatchObject({ type: 'error', channel, data: { code: 'internal' } });
    expect(logger.text).toContain('xxxx');
    expect(logger.text.length).toBeLessThan(5_000);
  });
});
