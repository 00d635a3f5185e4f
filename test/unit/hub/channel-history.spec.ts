import { ConsoleLogger, Logger } from '@nestjs/common';
import { InvalidHistoryLimitError } from '../../../lib/hub/hub.errors';
import { HubService } from '../../../lib/hub/hub.service';
import { RecordingLogger } from '../../support/recording-logger';
import { startHub } from './hub-kit';

const CHANNELS = { 'kept:*': { history: { size: 2000, ttl: '1h' } } };

describe('ChannelHistory', () => {
  it('gives the fields under their own names, whatever they are called on the wire', async () => {
    const hub = await startHub({ channels: CHANNELS, envelope: { type: 'event', data: 'payload' } });
    await hub.publisher.publish({ channel: 'kept:a', frame: hub.encode({ type: 'n', channel: 'kept:a', data: { payload: 1 }, from: 'x' }) });
    const { publications } = await hub.history.page('kept:a', {});
    expect(publications).toEqual([
      { type: 'n', channel: 'kept:a', data: { payload: 1 }, from: 'x', cursor: expect.any(String), timestamp: expect.any(String) },
    ]);
  });

  it('gives 100 publications unless it is asked for others, and never more than 1000', async () => {
    const hub = await startHub({ channels: CHANNELS });
    for (let data = 0; data < 1100; data++) {
      await hub.publisher.publish({ channel: 'kept:a', frame: hub.encode({ type: 'n', channel: 'kept:a', data }) });
    }
    const counts = [undefined, 1, 1000, 5000].map(async (limit) => (await hub.history.page('kept:a', { limit })).publications.length);
    expect(await Promise.all(counts)).toEqual([100, 1, 1000, 1000]);
  });

  it.each([0, -1, NaN, 1.5, Infinity, -Infinity, '10', null])('refuses %p as the number of publications, with or without a history', async (limit) => {
    const hub = new HubService(await startHub({ channels: CHANNELS }));
    for (const channel of ['kept:a', 'plain']) {
      const error: unknown = await hub.history(channel, { limit: limit as number }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidHistoryLimitError);
      expect(error).toMatchObject({ limit, code: 'bad_request', message: expect.stringContaining('an integer of at least 1; it is ') });
    }
  });

  it('leaves out what is no JSON, and says so in the log', async () => {
    const hub = await startHub({ channels: CHANNELS });
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    try {
      const { history } = hub.rules.for('kept:a');
      for (const text of ['{"type":"n","data":1}', '{by hand}', '{"type":"n","data":3}']) {
        await hub.adapter.append({ channel: 'kept:a', payload: Buffer.from(text) }, history!);
      }
      const { publications, complete } = await hub.history.page('kept:a', {});
      expect([publications.map(({ data }) => data), complete]).toEqual([[1, 3], true]);
      expect(logger.text).toMatch(/^warn The history of kept:a holds something at \w+-2-\w+ that is no JSON/);
    } finally {
      Logger.overrideLogger(new ConsoleLogger());
    }
  });

  it('bounds a page in bytes, and can be walked on from it both ways', async () => {
    const hub = await startHub({ channels: CHANNELS });
    const total = 30;
    const filler = 'x'.repeat(60 * 1024);
    for (let n = 0; n < total; n++) {
      const frame = hub.encode({ type: 'n', channel: 'kept:a', data: { n, filler } });
      await hub.publisher.publish({ channel: 'kept:a', frame });
    }
    for (const reverse of [false, true]) {
      const pages: number[][] = [];
      let after: string | undefined;
      for (let isComplete = false; !isComplete; ) {
        const page = await hub.history.page('kept:a', { limit: 1000, after, reverse });
        expect(JSON.stringify(page).length).toBeLessThan(600 * 1024);
        pages.push(page.publications.map(({ data }) => (data as { n: number }).n));
        after = page.publications.at(-1)!.cursor;
        isComplete = page.complete;
      }
      const expected = Array.from({ length: total }, (_, index) => index);
      expect(pages.length).toBeGreaterThan(3);
      expect(pages.flat()).toEqual(reverse ? expected.toReversed() : expected);
    }
  });

  it('gives a publication that is larger than a page as a page of its own', async () => {
    const hub = await startHub({ channels: CHANNELS });
    for (const n of [1, 2]) {
      const frame = hub.encode({ type: 'n', channel: 'kept:a', data: `${n}${'x'.repeat(600 * 1024)}` });
      await hub.publisher.publish({ channel: 'kept:a', frame });
    }
    const page = await hub.history.page('kept:a', {});
    expect(page).toMatchObject({ publications: [{}], complete: false });
    expect(await hub.history.page('kept:a', { after: page.publications[0]!.cursor })).toMatchObject({ publications: [{}], complete: true });
  });

  it('is walked page by page without a gap or a repeat, both ways', async () => {
    const hub = await startHub({ channels: CHANNELS });
    const total = 25;
    for (let data = 0; data < total; data++) {
      await hub.publisher.publish({ channel: 'kept:a', frame: hub.encode({ type: 'n', channel: 'kept:a', data }) });
    }
    for (const reverse of [false, true]) {
      const seen: unknown[] = [];
      let after: string | undefined;
      for (let isComplete = false; !isComplete; ) {
        const page = await hub.history.page('kept:a', { limit: 4, after, reverse });
        seen.push(...page.publications.map(({ data }) => data));
        after = page.publications.at(-1)?.cursor;
        isComplete = page.complete;
      }
      const expected = Array.from({ length: total }, (_, index) => index);
      expect(seen).toEqual(reverse ? expected.toReversed() : expected);
    }
  });
});
