// Looks like a backup of a database, and reads none.
import { say } from './pace.mjs';

const TABLES = ['users', 'rooms', 'memberships', 'messages', 'attachments', 'reactions', 'sessions', 'audit'];

await say('connecting to the archive', 600);
for (const table of TABLES) {
  for (const percent of [0, 25, 50, 75, 100]) {
    await say(`  ${table.padEnd(12)} ${String(percent).padStart(3)} %  ${'█'.repeat(percent / 10).padEnd(10, '·')}`, 260);
  }
}
await say('verified 8 tables');
