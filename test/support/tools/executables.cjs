'use strict';
// Plain CommonJS: `npm pretest` runs it before anything is compiled, and the specs import the same file.
const { accessSync, constants, statSync } = require('node:fs');
const { delimiter, join } = require('node:path');

/** What the tests run beside Node: the names that each is known by, and the Debian package that brings it. */
const TOOLS = {
  redis: { names: ['redis-server'], debianPackage: 'redis-server' },
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    debianPackage: 'chromium',
  },
};

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function onPath(name, path) {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function findTool(tool, path = process.env.PATH ?? '') {
  for (const name of TOOLS[tool].names) {
    const found = onPath(name, path);
    if (found) return found;
  }
  return undefined;
}

function requireTool(tool) {
  const found = findTool(tool);
  if (found) return found;
  throw new Error(
    `PATH has no ${TOOLS[tool].names.join(', no ')}: run \`node test/support/provide-tools.mjs\`, as \`npm test\` does.`,
  );
}

module.exports = { TOOLS, findTool, requireTool };
