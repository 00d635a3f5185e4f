import { resolveStreamSettings } from '../../../../lib/sources/redis-stream/redis-stream.options';
import { redisStreamSource, type RedisStreamSourceOptions, StreamSourceOptionsError } from 'nestjs-realtime';

const valid: RedisStreamSourceOptions = { url: 'redis://127.0.0.1', key: 'events', channels: ['feed:{name}'], toPublications: () => [] };

it('takes a stream, its channels and what an entry becomes', () => {
  expect(redisStreamSource(valid).channels).toEqual(['feed:{name}']);
});

it.each([
  ['url', { url: undefined }],
  ['url', { url: '' }],
  ['url, client', { client: {} }],
  ['key', { key: '' }],
  ['channels', { channels: [] }],
  ['from', { from: 'now' }],
  ['maxScan', { maxScan: 0.5 }],
])('names %s when it cannot be used', (option, wrong) => {
  const make = (): unknown => redisStreamSource({ ...valid, ...wrong });
  expect(make).toThrow(StreamSourceOptionsError);
  expect(make).toThrow(`redisStreamSource({ ${option} }) must be`);
});

it.each([undefined, 0, -5])('CHECKLIST 2: takes the default for a maxScan of %p', (maxScan) => {
  expect(resolveStreamSettings({ ...valid, maxScan }).maxScan).toBe(10_000);
});
