// npm runs this before the tests: they need a real redis-server and a real Chromium. Quiet when both are there.
import executables from './tools/executables.cjs';
import { canInstall, install } from './tools/debian.mjs';

const { TOOLS, findTool } = executables;

const missing = () => Object.entries(TOOLS).filter(([name]) => !findTool(name));

/** Says what is missing and what to do about it, and ends with exit code 1. */
function giveUp(tools, reason) {
  for (const [, { names }] of tools) console.error(`The tests need ${names[0]}, and PATH has no ${names.join(', no ')}.`);
  const packages = tools.map(([, { debianPackage }]) => debianPackage).join(' ');
  console.error(`${reason} Put them on PATH; on Debian or Ubuntu, as root:`);
  console.error(`  apt-get update && apt-get install --yes --no-install-recommends ${packages}`);
  process.exit(1);
}

const wanted = missing();
if (wanted.length > 0) {
  if (!canInstall()) giveUp(wanted, 'They cannot be installed from here (not root, or no apt-get).');
  const packages = wanted.map(([, { debianPackage }]) => debianPackage);
  console.log(`Installing what the tests need: ${packages.join(', ')}`);
  try {
    install(packages);
  } catch (error) {
    giveUp(missing(), `${error.message}.`);
  }
  const still = missing();
  if (still.length > 0) giveUp(still, 'apt-get installed the packages, but the programs did not appear.');
}
