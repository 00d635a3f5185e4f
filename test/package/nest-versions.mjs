import { readFileSync } from 'node:fs';

const { devDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The parts of Nest that an application with WebSockets has. */
const NEST_PACKAGES = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-ws',
  '@nestjs/websockets',
];

/** The Nest releases that the package is tried with: the last 11, and the 12 that this project develops on. */
export const NEST_VERSIONS = [
  {
    name: 'Nest 11',
    dependencies: {
      '@nestjs/common': '11.2.10',
      '@nestjs/core': '11.2.10',
      '@nestjs/platform-express': '11.2.10',
      '@nestjs/platform-ws': '11.2.6',
      '@nestjs/websockets': '11.2.6',
    },
    terminus: '11.1.1',
  },
  { name: 'Nest 12', dependencies: pick(NEST_PACKAGES), terminus: devDependencies['@nestjs/terminus'] },
];

/** What every application installs beside Nest. */
export const APP_DEPENDENCIES = pick(['@types/node', 'reflect-metadata', 'rxjs']);

function pick(names) {
  return Object.fromEntries(names.map((name) => [name, devDependencies[name]]));
}
