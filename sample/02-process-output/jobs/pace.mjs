import { setTimeout as sleep } from 'node:timers/promises';

/** Writes a line, and takes a moment for it. Set PACE=0 to be quick. */
const pace = Number(process.env.PACE ?? 1);

export async function say(line, ms = 180) {
  console.log(line);
  await sleep(ms * pace * (0.5 + Math.random()));
}
