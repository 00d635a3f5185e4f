import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, requireTool } from './executables.cjs';

const SCRIPT = join(__dirname, '../provide-tools.mjs');
const IS_ROOT = process.getuid?.() === 0;

describe('providing the tools of the tests', () => {
  let path: string;
  const calls = () => (existsSync(join(path, 'calls')) ? readFileSync(join(path, 'calls'), 'utf8') : '');
  const program = (name: string, text = '') => writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  /** An apt-get that notes what it was asked, and "installs" by making the files named. */
  const aptGet = (...makes: string[]) => {
    const install = makes.map((name) => `/bin/cp "$0" '${join(path, name)}'`).join('\n');
    program('apt-get', `[ "$1" = --version ] && exit 0\necho "$@" >> '${join(path, 'calls')}'\n[ "$1" = install ] || exit 0\n${install}`);
  };
  const provide = () => spawnSync(process.execPath, [SCRIPT], { env: { PATH: path }, encoding: 'utf8' });

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'provide-tools-'));
  });
  afterEach(() => rmSync(path, { recursive: true }));

  it.each(['chromium', 'chromium-browser', 'google-chrome'])('says and does nothing when redis-server and %s are there', (browser) => {
    aptGet();
    program('redis-server');
    program(browser);
    expect(provide()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(calls()).toBe('');
  });

  it('says what is missing and how to get it where it cannot install', () => {
    program('redis-server');
    const { status, stderr } = provide();
    expect(status).toBe(1);
    expect(stderr).toContain('The tests need chromium, and PATH has no chromium, no chromium-browser');
    expect(stderr).toContain('apt-get install --yes --no-install-recommends chromium\n');
  });

  it('as root installs what is missing, and that alone; as another user leaves the machine as it is', () => {
    aptGet('redis-server');
    program('chromium');
    expect(provide().status).toBe(IS_ROOT ? 0 : 1);
    const asRoot = 'update --quiet\ninstall --yes --quiet --no-install-recommends redis-server\n';
    expect(calls()).toBe(IS_ROOT ? asRoot : '');
  });

  it('fails when the packages bring no program', () => {
    aptGet('redis-server');
    const { status, stderr } = provide();
    expect(status).toBe(1);
    expect(stderr).toContain('The tests need chromium');
  });

  it('finds a tool by any of its names, and only a file that can be run', () => {
    writeFileSync(join(path, 'chromium'), '');
    program('google-chrome');
    expect(findTool('chromium', path)).toBe(join(path, 'google-chrome'));
    expect(findTool('redis', path)).toBeUndefined();
  });

  it('gives the specs the path of a tool that is there', () => {
    expect(requireTool('redis')).toMatch(/redis-server$/);
  });
});
