// Looks like a run of tests, one of which fails.
import { say } from './pace.mjs';

const TESTS = [
  'delivers to everyone in the room',
  'keeps the order of publications',
  'continues from a cursor',
  'refuses a name that is too long',
  'closes a connection that reads too slowly',
  'says goodbye before it goes',
];
const FAILING = 4;

await say('> lighthouse@2.4.0 test');
await say('');
for (const [index, test] of TESTS.entries()) await say(`  ${index === FAILING ? 'FAIL' : 'pass'}  ${test}`, 420);
await say('');
console.error('  expected close code 4008, got none within 5000 ms');
console.error('    at slow-consumer.spec.ts:57:9');
await say('');
await say(`  ${TESTS.length - 1} passed, 1 failed`);
process.exitCode = 1;
