import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageOf } from './import-rules';
import { readLibrary, ROOT } from './library-sources';
import { readModules } from './module-graph';

interface Manifest {
  main: string;
  types: string;
  type?: string;
  exports: Record<string, unknown>;
  files: string[];
  engines: Record<string, string>;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
  devDependencies: Record<string, string>;
}

interface LockedPackage {
  version: string;
  resolved?: string;
  integrity?: string;
  inBundle?: boolean;
  optionalDependencies?: Record<string, string>;
}

/** Parts of the library that are loaded by a path of their own, where they are there. */
const FEATURES = ['client', 'testing', 'health', 'metrics'];

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const subpaths = Object.entries(manifest.exports).filter(([subpath]) => subpath !== './package.json');
const isOfClient = ([subpath]: [string, unknown]): boolean => subpath.startsWith('./client');
const serverSubpaths = subpaths.filter((entry) => !isOfClient(entry));

describe('what the package exports', () => {
  it('has its main entry where an old resolver looks for it too', () => {
    expect(manifest.exports['.']).toEqual({ types: `./${manifest.types}`, default: `./${manifest.main}` });
    expect(manifest.exports['./package.json']).toBe('./package.json');
  });

  it.each(serverSubpaths)('builds %s from a source, with its types first', (subpath, target) => {
    const folder = join('.', subpath);
    const built = `./${join('dist', folder, 'index')}`;
    expect(JSON.stringify(target)).toBe(JSON.stringify({ types: `${built}.d.ts`, default: `${built}.js` }));
    expect(existsSync(join(ROOT, 'lib', folder, 'index.ts'))).toBe(true);
  });

  it('exports every feature that has an index', () => {
    const present = FEATURES.filter((feature) => existsSync(join(ROOT, 'lib', feature, 'index.ts')));
    expect(subpaths.map(([subpath]) => subpath)).toEqual(expect.arrayContaining(present.map((feature) => `./${feature}`)));
  });

  it('loads Terminus on the path of the health indicator and nowhere else', () => {
    const users = [...readModules(readLibrary())].filter(([, { packages }]) => packages.some((name) => packageOf(name) === '@nestjs/terminus'));
    expect(users.map(([path]) => path)).toEqual(['lib/health/realtime-health.indicator.ts']);
    const importers = [...readModules(readLibrary())].filter(([, { files }]) => files.some((file) => file.startsWith('lib/health/')));
    expect(importers.map(([path]) => path)).toEqual(['lib/health/index.ts']);
  });

  it('is one CommonJS build: two would hold each class twice', () => {
    expect(manifest.type).toBeUndefined();
    expect(JSON.stringify(serverSubpaths)).not.toMatch(/"(?:import|require|module)":/);
  });

  // No class of Nest, and nothing that a module injects: an application that loads both builds of it is not harmed.
  it.each(['index', 'core'])('has the client as ES module too, for bundlers, and for browsers in one file (%s)', (file) => {
    const built = `./dist/client/${file}`;
    expect(manifest.exports[file === 'index' ? './client' : `./client/${file}`]).toEqual({
      import: { types: `${built}.d.mts`, default: `${built}.mjs` },
      default: { types: `${built}.d.ts`, default: `${built}.js` },
    });
    expect(existsSync(join(ROOT, 'lib', 'client', `${file}.ts`))).toBe(true);
    const browser = './dist/client/browser';
    expect(manifest.exports['./client/browser']).toEqual({ types: `${browser}.d.mts`, default: `${browser}.mjs` });
  });

  it('builds the client with everything else', () => {
    expect(manifest.scripts.build).toBe('nest build && node scripts/build-client.mjs');
  });

  it('ships the build and the documents, and these are there', () => {
    expect(manifest.files).toEqual(['dist', 'PROTOCOL.md', 'CHANGELOG.md']);
    for (const document of ['README.md', 'PROTOCOL.md', 'CHANGELOG.md', 'LICENSE']) {
      expect([document, existsSync(join(ROOT, document))]).toEqual([document, true]);
    }
  });
});

describe('what the package needs', () => {
  it('runs on the Node releases that can require an ES module', () => {
    expect(manifest.engines).toEqual({ node: '^20.19.0 || ^22.12.0 || >=24.0.0' });
  });

  it.each(['common', 'core', 'platform-ws', 'websockets'])('takes @nestjs/%s 11 and 12', (part) => {
    expect(manifest.peerDependencies[`@nestjs/${part}`]).toBe('^11.0.0 || ^12.0.0');
  });

  it('asks for nothing that only some applications use', () => {
    const optional = Object.keys(manifest.peerDependenciesMeta).filter((peer) => manifest.peerDependenciesMeta[peer]?.optional);
    expect(optional).toEqual(expect.arrayContaining(['@nestjs/terminus', 'class-transformer', 'class-validator', 'ioredis', 'jose']));
    expect(manifest.peerDependencies).toMatchObject({ ioredis: '^5.0.0 || ^6.0.0', jose: '^5.0.0 || ^6.0.0' });
  });

  it('declares every package that lib imports', () => {
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    const imported = [...readModules(readLibrary()).values()].flatMap(({ packages }) => packages);
    const undeclared = imported.filter((name) => !name.startsWith('node:') && !(packageOf(name) in declared));
    expect(undeclared).toEqual([]);
    expect(imported).toContain('@nestjs/common');
  });

  it('is developed against each of its peers', () => {
    expect(Object.keys(manifest.devDependencies)).toEqual(expect.arrayContaining(Object.keys(manifest.peerDependencies)));
  });

  it('pins the tools that it is developed with', () => {
    const loose = Object.entries(manifest.devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });
});

describe('the lock', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
  const locked = Object.entries(packages).filter(([path]) => path !== '');

  it('names no address to download from: each machine asks the registry that it knows', () => {
    expect(locked.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  it('knows the checksum of everything that it installs here', () => {
    const here = locked.filter(([path]) => existsSync(join(ROOT, path)));
    expect(here.length).toBeGreaterThan(100);
    expect(here.filter(([, entry]) => !entry.integrity && !entry.inBundle)).toEqual([]);
  });

  // `npm ci` refuses a lock without them. `node scripts/complete-lock.mjs` adds them.
  it('has the optional packages of every platform', () => {
    const wanted = locked.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
    const missing = wanted.filter((name) => !locked.some(([path]) => path.endsWith(`node_modules/${name}`)));
    expect(missing).toEqual([]);
    expect(wanted).toContain('@swc/core-darwin-arm64');
  });
});

describe('the README', () => {
  it('names only commands that exist', () => {
    const named = [...read('README.md').matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2]);
    expect(named.filter((name) => name !== undefined && !(name in manifest.scripts))).toEqual([]);
    expect(named).toEqual(expect.arrayContaining(['start', 'test']));
  });
});
