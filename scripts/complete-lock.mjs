// Adds to package-lock.json the builds for other platforms that npm left out of it: `node scripts/complete-lock.mjs`,
// after an `npm install` that changed the lock.
//
// npm leaves out an optional package that the registry does not serve (yet), as happens with a mirror that brings the
// builds for other platforms later than the package itself. `npm ci` then refuses the lock on every platform. The
// entries made here hold what is certain, the exact version that the package asks for and the platform in its name,
// and no checksum.
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = new URL('../package-lock.json', import.meta.url);
const EXACT_VERSION = /^\d+\.\d+\.\d+$/;
/** As in `@swc/core-linux-x64-gnu`. */
const PLATFORM =
  /[/-](aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-(gnu|musl|msvc|eabi)\w*)?$/;
const LIBC = { gnu: 'glibc', musl: 'musl' };

function makeEntry(name, version, isDevelopment) {
  const match = PLATFORM.exec(name);
  if (!match || !EXACT_VERSION.test(version)) {
    throw new Error(`${name} ${version} is missing from the lock, and is no build for one platform: add it by hand.`);
  }
  const [, os, cpu, abi] = match;
  const libc = os === 'linux' ? LIBC[abi] : undefined;
  return {
    version,
    cpu: [cpu],
    ...(isDevelopment && { dev: true }),
    ...(libc && { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

/** Whether the package at `path` finds `name` there, or in a folder above. */
function isLocked(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${folder && `${folder}/`}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(lock.packages, path, name))
    .map(([name, version]) => [`node_modules/${name}`, makeEntry(name, version, entry.dev === true)]),
);
const packages = Object.entries({ ...lock.packages, ...Object.fromEntries(missing) });
lock.packages = Object.fromEntries(packages.toSorted(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(LOCK, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${missing.length} builds for other platforms added to the lock`);
