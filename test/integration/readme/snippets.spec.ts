import { join } from 'node:path';
import ts from 'typescript';
import { blocks, blockWith, files } from './code';

const ROOT = join(__dirname, '../../..');
/** Two applications, which are nowhere but in the compiler's eyes. */
const APPS: ReadonlyMap<string, string> = new Map([
  ['module', '{ "type": "module" }'],
  ['commonjs', '{ "type": "commonjs" }'],
]);

/** What `nest new --strict` has, and stricter where that is lax. */
const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: ['node'],
  strict: true,
  isolatedModules: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  skipLibCheck: true,
  noEmit: true,
  paths: {
    'nestjs-realtime': [join(ROOT, 'lib/index.ts')],
    'nestjs-realtime/client': [join(ROOT, 'lib/client/index.ts')],
    'nestjs-realtime/health': [join(ROOT, 'lib/health/index.ts')],
  },
};

/** Each fragment by a part of it, and what it takes for granted. Handlers and calls are a method's. */
const FRAGMENTS: readonly [part: string, given: string, wrap?: (code: string) => string][] = [
  [
    '// anywhere else',
    `import { Injectable } from '@nestjs/common';
     import { MessageBody } from '@nestjs/websockets';
     import { ChannelParam, ConnectedUser, HubService, OnSubscribe, type RealtimeUser, SubscribeChannel } from 'nestjs-realtime';
     class SayDto { text = '' }`,
    (code) => `${code.replace('// anywhere else', 'class Elsewhere { constructor(readonly hub: HubService) {} async publish() {')} } }`,
  ],
  [
    'hub.clusterStats()',
    `import type { HubService } from 'nestjs-realtime';
     declare const hub: HubService, connectionId: string, idempotencyKey: string;`,
    method,
  ],
  [
    'fetchToken()',
    `import { RealtimeClient } from 'nestjs-realtime/client';
     interface ChatMessage { text: string }
     declare const show: (state: string) => void, append: (message: ChatMessage) => void, reload: () => void;
     declare const fetchToken: () => Promise<string>;`,
    (code) => method(code.replace(/^import .*/, '')),
  ],
  [
    'interface AppChannels',
    `import { Injectable } from '@nestjs/common';
     import { HubService } from 'nestjs-realtime';
     import { RealtimeClient } from 'nestjs-realtime/client';
     interface ChatMessage { text: string; author: string }
     interface RoomSnapshot { welcome: string }
     declare const url: string, append: (message: ChatMessage) => void;`,
  ],
  ['redisStreamSource', "import { RealtimeModule, redisStreamSource } from 'nestjs-realtime';"],
  [
    'redisAdapter(',
    `import { RealtimeModule, redisAdapter } from 'nestjs-realtime';
     declare class ConfigService { get<T = any>(name: string): T | undefined }`,
    (code) => code.replace(/\)\n$/, ');'),
  ],
  ['RealtimeHealthIndicator', ''],
  [
    'createTestingModule',
    `import { Test } from '@nestjs/testing';
     import { RealtimeWsAdapter } from 'nestjs-realtime';
     import { RealtimeClient } from 'nestjs-realtime/client';
     import { WebSocket } from 'ws';
     import { AppModule } from './app.module.js';
     declare const expect: (value: unknown) => { toEqual(other: unknown): void };`,
    method,
  ],
];

function method(code: string): string {
  return `export async function method() {\n${code}\n}`;
}

/** Names of files within an application, and their text. */
function sources(): Map<string, string> {
  const fragments = FRAGMENTS.map(([part, given, wrap = (code) => code], i): [string, string] => {
    return [`fragment-${i}.ts`, `${given}\n${wrap(blockWith('ts', part))}\nexport {};\n`];
  });
  return new Map([...files(), ...fragments]);
}

/** What the compiler says to all of them, in both kinds of application. */
function compile(): string[] {
  const virtual = new Map<string, string>();
  for (const [app, manifest] of APPS) {
    virtual.set(join(ROOT, app, 'package.json'), manifest);
    for (const [name, text] of sources()) virtual.set(join(ROOT, app, name), text);
  }
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, directoryExists } = host;
  host.fileExists = (file) => virtual.has(file) || fileExists(file);
  host.readFile = (file) => virtual.get(file) ?? readFile(file);
  host.directoryExists = (folder) => [...APPS.keys()].includes(folder.slice(ROOT.length + 1)) || directoryExists!(folder);
  const program = ts.createProgram([...virtual.keys()].filter((file) => file.endsWith('.ts')), OPTIONS, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, start, messageText }) => {
      const place = file && start !== undefined ? `${file.fileName.slice(ROOT.length)}:${file.text.slice(start, start + 80)}` : '';
      return `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
}

describe('the code in the README', () => {
  it('is all looked at here', () => {
    expect([...files().keys()]).toEqual(['room.channel.ts', 'app.module.ts', 'main.ts']);
    expect(blocks('ts')).toHaveLength(files().size + FRAGMENTS.length);
  });

  it('compiles with strict TypeScript, as ES module and as CommonJS', () => {
    expect(compile()).toEqual([]);
  }, 120_000);
});
