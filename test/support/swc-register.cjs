'use strict';
// Node has no other way to do it in version 20.
/* oxlint-disable no-underscore-dangle */
// For `node -r`: lets a child process run the project's TypeScript as it stands, without a build before it.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { transformFileSync } = require('@swc/core');

const root = join(__dirname, '..', '..');
const options = { ...JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8')), swcrc: false };

Module._extensions['.ts'] = (module, filename) => module._compile(transformFileSync(filename, options).code, filename);

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) =>
  resolveFilename(request === 'nestjs-realtime' ? join(root, 'lib', 'index.ts') : request, ...rest);
