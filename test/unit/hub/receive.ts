import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';

type Constructor<T> = new (...args: unknown[]) => T;

/** The parser of `ws`, as a client has it. `ws` does not export it from CommonJS. */
const wsFolder = join(dirname(createRequire(__filename).resolve('ws')), 'lib');
const Receiver = createRequire(__filename)(join(wsFolder, 'receiver.js')) as Constructor<Writable>;
const PerMessageDeflate = createRequire(__filename)(join(wsFolder, 'permessage-deflate.js')) as Constructor<{
  accept(configurations: object[]): object;
}>;

/** The text messages in a stream of server frames. Fails on a binary message, and on anything that is no frame. */
export function receive(bytes: Buffer, { deflate = false } = {}): Promise<string[]> {
  const messages: string[] = [];
  const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true, extensions: deflate ? deflateExtension() : {} });
  return new Promise((resolve, reject) => {
    receiver.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) reject(new Error('a binary message'));
      messages.push(data.toString('utf8'));
    });
    receiver.on('error', reject);
    receiver.on('finish', () => resolve(messages));
    receiver.end(bytes);
  });
}

function deflateExtension(): object {
  const extension = new PerMessageDeflate({}, false);
  extension.accept([{ server_no_context_takeover: [true] }]);
  return { 'permessage-deflate': extension };
}
