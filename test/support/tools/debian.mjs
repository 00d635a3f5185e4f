import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Debian asks this script before it starts the service of a package; 101 says no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/** @returns {boolean} whether this process may install Debian packages here */
export function canInstall() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Installs Debian packages, and leaves no service of theirs running. Throws when apt-get fails. */
export function install(packages) {
  withoutServices(() => {
    run(['update', '--quiet']);
    run(['install', '--yes', '--quiet', '--no-install-recommends', ...packages]);
  });
}

function withoutServices(action) {
  // A policy that is there already is the machine's own, and stays.
  if (existsSync(SERVICE_POLICY)) return action();
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return action();
  } finally {
    rmSync(SERVICE_POLICY, { force: true });
  }
}

function run(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error } = spawnSync('apt-get', args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
}
