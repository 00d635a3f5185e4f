import { builtinModules } from 'node:module';
import { readModules, type ModuleFacts, type SourceFiles } from './module-graph';

/** One broken rule, in words that name the file and say what the rule is. */
export type Violation = string;

interface Layer {
  /** Other layers, or single files of them, that it may import. */
  readonly imports: readonly string[];
  /** Packages that it must never load. */
  readonly never?: readonly string[];
  /** It must run in a browser: no Node builtins and globals, and of packages only these. */
  readonly browser?: { readonly packages: readonly string[] };
}

const ADAPTER_CONTRACT = 'adapter/hub-adapter';
const FEATURE: Layer = { imports: ['hub', 'channels', 'adapter', 'protocol'] };

/** The folders of lib/ and whom each may know: ARCHITECTURE, "The house". A folder that is not here is refused. */
const LAYERS: Readonly<Record<string, Layer>> = {
  protocol: { imports: [], browser: { packages: ['secure-json-parse'] } },
  client: { imports: ['protocol'], browser: { packages: [] } },
  hub: { imports: ['protocol', ADAPTER_CONTRACT], never: ['ws', 'ioredis'] },
  adapter: { imports: ['protocol'] },
  auth: { imports: ['protocol'] },
  channels: { imports: ['hub', 'auth', 'protocol'], never: ['ws', 'ioredis'] },
  transports: { imports: ['channels', 'hub', 'auth', ADAPTER_CONTRACT, 'protocol'], never: ['ioredis'] },
  sources: FEATURE,
  testing: FEATURE,
  health: FEATURE,
  metrics: FEATURE,
  asyncapi: FEATURE,
  inspector: FEATURE,
};

const ENTRY = 'lib/index.ts';
const MODULE = 'lib/realtime.module.ts';
/** The module and the files that it is cut into: only these know every layer, and no layer knows them. */
const ROOT_FILES: ReadonlySet<string> = new Set([
  ENTRY,
  MODULE,
  'lib/realtime.errors.ts',
  'lib/realtime.module-definition.ts',
  'lib/realtime.options.ts',
  'lib/realtime.options-reader.ts',
  'lib/realtime.providers.ts',
  'lib/realtime.settings.ts',
]);

const NODE_GLOBALS = ['Buffer', 'process', 'global', 'setImmediate', 'clearImmediate', 'require', '__dirname', '__filename'];
const BUILTINS = new Set(builtinModules);
const MAX_LINES = 300;
/** A path that exists on somebody's machine only. */
const MACHINE_PATH = /(?:^|[^\w.*])(\/(?:home|root|Users|tmp|var|mnt|opt|work)\/\w[^\s'"`]*)/;

/** @returns every rule that the files break, in the order of the files; empty when they keep all */
export function checkSources(sources: SourceFiles): Violation[] {
  const modules = readModules(sources);
  const violations = [...modules].flatMap(([path, facts]) => [
    ...checkLayer(path, facts),
    ...facts.unresolved.map((specifier) => `${path} imports ${specifier}, which is no file of lib`),
    ...checkPackages(path, facts),
    ...checkText(path, sources.get(path) ?? '', facts),
  ]);
  return [...violations, ...findCycles(modules)];
}

function checkLayer(path: string, facts: ModuleFacts): Violation[] {
  if (ROOT_FILES.has(path)) return facts.files.flatMap((file) => checkImportOfRoot(path, file));
  const layer = LAYERS[layerOf(path)];
  if (!layer) return [`${path} belongs to no layer: add its folder to LAYERS, with what it may import`];
  return facts.files.flatMap((file) => {
    if (ROOT_FILES.has(file)) return checkImportOfRoot(path, file);
    if (layerOf(file) === layerOf(path)) return [];
    const allowed = layer.imports.some((name) => file === `lib/${name}.ts` || layerOf(file) === name);
    return allowed ? [] : [`${path} imports ${file}: ${layerOf(path)} may import ${listOf(layer.imports)}`];
  });
}

function checkImportOfRoot(path: string, file: string): Violation[] {
  if (file === ENTRY) return [`${path} imports ${file}: nobody may, it is the users' entry`];
  if (file === MODULE && path !== ENTRY) return [`${path} imports ${file}: only ${ENTRY} may`];
  if (!ROOT_FILES.has(file) || ROOT_FILES.has(path)) return [];
  return [`${path} imports ${file}: layers are handed what they need, they do not know the module's files`];
}

function checkPackages(path: string, facts: ModuleFacts): Violation[] {
  const name = layerOf(path);
  const layer = LAYERS[name];
  return facts.packages.flatMap((specifier) => {
    const { browser, never } = layer ?? {};
    if (browser && isBuiltin(specifier)) return [`${path} imports ${specifier}: ${name} must run in a browser`];
    if (browser && !browser.packages.includes(packageOf(specifier))) {
      return [`${path} imports ${specifier}: of packages ${name} may import ${listOf(browser.packages)}`];
    }
    return never?.includes(packageOf(specifier)) ? [`${path} imports ${specifier}: ${name} never does`] : [];
  });
}

function checkText(path: string, text: string, facts: ModuleFacts): Violation[] {
  const name = layerOf(path);
  const violations: Violation[] = [];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > MAX_LINES) violations.push(`${path} has ${lines} lines: at most ${MAX_LINES}`);
  if (facts.identifiers.has('console')) violations.push(`${path} uses console: use Nest's Logger`);
  const machinePath = MACHINE_PATH.exec(text)?.[1];
  if (machinePath) violations.push(`${path} names ${machinePath}, a path of one machine`);
  if (!LAYERS[name]?.browser) return violations;
  const globals = NODE_GLOBALS.filter((global) => facts.identifiers.has(global));
  return [...violations, ...globals.map((global) => `${path} uses ${global}: ${name} must run in a browser`)];
}

/** Each circle once, told from its alphabetically first file. */
function findCycles(modules: ReadonlyMap<string, ModuleFacts>): Violation[] {
  const cycles = new Map<string, Violation>();
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const circle = trail.slice(start);
      cycles.set(circle.toSorted().join(), `circle of imports: ${fromFirst(circle).join(' → ')}`);
      return;
    }
    if (finished.has(path)) return;
    for (const file of modules.get(path)?.files ?? []) visit(file, [...trail, path]);
    finished.add(path);
  };
  for (const path of modules.keys()) visit(path, []);
  return [...cycles.values()];
}

function fromFirst(circle: readonly string[]): string[] {
  const first = circle.indexOf(circle.toSorted()[0]!);
  const turned = [...circle.slice(first), ...circle.slice(0, first)];
  return [...turned, turned[0]!];
}

/** The folder under lib/, or the file's own name at the root. */
function layerOf(path: string): string {
  return path.split('/')[1] ?? path;
}

/** The package that a module belongs to: `@nestjs/core` for `@nestjs/core/injector`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || BUILTINS.has(specifier);
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}
