import type { AddressInfo } from 'node:net';
import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { RealtimeWsAdapter } from 'nestjs-realtime';
import ts from 'typescript';
import { WebSocket } from 'ws';
import { RealtimeClient } from '../../../lib/client';
import { TestClient, type TestFrame } from '../../support/test-client';
import { blocks, blockWith, files } from './code';

const SESSION = blocks('wscat')[0]!.trim().split('\n');

/** Runs a file of "Five minutes", as it stands there, and what it imports. */
function load(name: string): Record<string, unknown> {
  const compilerOptions: ts.CompilerOptions = {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  const { outputText } = ts.transpileModule(files().get(name)!, { compilerOptions });
  const exports = {};
  // The code of the README is what this is about.
  // oxlint-disable-next-line typescript/no-implied-eval
  new Function('exports', 'require', outputText)(exports, (wanted: string): unknown =>
    wanted.startsWith('./') ? load(wanted.slice(2).replace(/\.js$/, '.ts')) : require(wanted),
  );
  return exports;
}

/** Replaces what differs from run to run: where the README has an ellipsis. */
function blur(frame: unknown, like: unknown): unknown {
  if (like === '…') return typeof frame === 'string' && frame !== '' ? '…' : frame;
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return frame;
  if (typeof like !== 'object' || like === null) return frame;
  return Object.fromEntries(Object.entries(frame).map(([key, value]) => [key, blur(value, Reflect.get(like, key))]));
}

describe('the session in the README', () => {
  let app: INestApplication;
  beforeAll(async () => {
    const { AppModule } = load('app.module.ts') as { AppModule: Type };
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication();
    app.useWebSocketAdapter(new RealtimeWsAdapter(app));
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  it('goes as it is written there, with the application that is written there', async () => {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const headers = { authorization: 'Bearer secret-key-1' };
    const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, { headers, greeted: false });
    expect(SESSION.length).toBeGreaterThan(5);
    for (const line of SESSION) {
      const message = JSON.parse(line.slice(2)) as TestFrame;
      if (line.startsWith('> ')) {
        client.send(message);
        continue;
      }
      const frame = await client.take(() => true, line);
      expect(blur(frame, message)).toEqual(message);
    }
    await client.close();
  });
});

it('the test in the README passes', async () => {
  const names = { Test, AppModule: load('app.module.ts').AppModule, RealtimeWsAdapter, RealtimeClient, WebSocket, expect };
  // As above.
  // oxlint-disable-next-line typescript/no-implied-eval
  const run = new Function(...Object.keys(names), `return (async () => {${blockWith('ts', 'createTestingModule')}})()`);
  await expect((run as (...values: unknown[]) => Promise<unknown>)(...Object.values(names))).resolves.toBeUndefined();
  expect.assertions(2);
});
