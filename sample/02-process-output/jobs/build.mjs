// Looks like a build, and builds nothing.
import { say } from './pace.mjs';

const MODULES = ['protocol', 'hub', 'adapter', 'auth', 'channels', 'transports', 'client'];

await say('> lighthouse@2.4.0 build');
await say('> compile --strict', 400);
await say('');
let files = 0;
for (const module of MODULES) {
  const count = 4 + Math.floor(Math.random() * 18);
  files += count;
  await say(`  compiled  ${module.padEnd(12)} ${String(count).padStart(2)} files`, 320);
}
await say('');
console.error('  warning   hub/outbox.ts:41  a comment promises more than the code');
await say(`  bundled   ${files} files, ${(files * 3.7).toFixed(1)} kB`, 500);
await say('  done');
