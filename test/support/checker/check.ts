import { decodeCursor, encodeCursor } from '../../../lib/protocol/cursor';
import { ChannelAccount, placeOf } from './channel-account';
import { judgeRun } from './judge-run';
import type { AllowedLoss, CheckResult, ClientRecord, PublishRecord, Recording, Violation } from './recording';
import { readRuns } from './runs';

/**
 * Judges what every client saw and every publisher was told. Within what the server promises nothing may be missing, come
 * twice or out of order; all clients see one order, that of the publishers; whoever was told `recovered: true` got what
 * follows its cursor; nobody gets what was rejected; and at the end everybody is where the channel is.
 *
 * Positions are read with the project's own cursors, so that the places of publications that nobody got are known too.
 */
export function check(recording: Recording, allowed: AllowedLoss = 'none'): CheckResult {
  const channels = new Set([...recording.clients, ...recording.publishes].map(({ channel }) => channel));
  const violations: Violation[] = [];
  let lost = 0;
  for (const channel of channels) {
    const publishes = recording.publishes.filter((publish) => publish.channel === channel);
    const account = new ChannelAccount(channel, publishes, violations);
    for (const record of recording.clients) {
      if (record.channel === channel) judgeClient(record, account, recording.heads[channel], allowed, violations);
    }
    judgePublishers(account, allowed, violations);
    lost += judgeLosses(channel, account, recording.heads[channel], allowed, violations);
  }
  return { violations, summary: { ...summarize(recording), lost } };
}

function judgeClient(
  record: ClientRecord,
  account: ChannelAccount,
  head: string | undefined,
  allowed: AllowedLoss,
  violations: Violation[],
): void {
  const { client, channel } = record;
  const read = readRuns(record, allowed !== 'none');
  violations.push(...read.violations);
  const seen = new Set<string>();
  for (const run of read.runs) {
    violations.push(...judgeRun(run, client, channel, seen));
    account.add(run, client);
  }
  const last = read.runs.at(-1);
  const end = last && encodeCursor(last.steps.at(-1)?.position ?? last.start);
  if (end === head && head !== undefined) return;
  const kind = last?.endsRecovered ? 'false-recovery' : 'lost-tail';
  violations.push({ kind, client, channel, message: `ends at ${end}, and the channel at ${head}` });
}

/** What was answered before another was started stands before it. */
function judgePublishers(account: ChannelAccount, allowed: AllowedLoss, violations: Violation[]): void {
  let latest: PublishRecord | undefined;
  let epoch: string | undefined;
  let offset = -1;
  for (const { publish, position } of account.inOrder()) {
    const { channel } = publish;
    if (position.epoch !== epoch) [latest, epoch, offset] = [undefined, position.epoch, -1];
    if (position.offset === offset && allowed === 'none') {
      violations.push({ kind: 'two-orders', channel, message: `offset ${offset} was given to ${latest?.id} and ${publish.id}` });
    }
    offset = position.offset;
    // After a lost tail a place is given away again, so that only what stands in it for good is in order.
    const misplaced = latest !== undefined && allowed === 'none' && publish.answeredAt < latest.startedAt;
    if (misplaced) {
      const message = `${publish.id} was accepted before ${latest!.id} was published, and stands after it`;
      violations.push({ kind: 'order', channel, message });
    }
    if (latest === undefined || publish.startedAt > latest.startedAt) latest = publish;
  }
}

/** @returns how many accepted publications are not in the channel any more */
function judgeLosses(
  channel: string,
  account: ChannelAccount,
  head: string | undefined,
  allowed: AllowedLoss,
  violations: Violation[],
): number {
  const end = decodeCursor(head);
  const placed = account.inOrder();
  const newest = new Map<string, PublishRecord>();
  for (const { publish, position } of placed) {
    const rival = newest.get(placeOf(position));
    if (rival === undefined || rival.startedAt < publish.startedAt) newest.set(placeOf(position), publish);
  }
  let lost = 0;
  for (const { publish, position } of placed) {
    const sameLife = position.epoch === end?.epoch;
    if (sameLife && position.offset <= end.offset && newest.get(placeOf(position)) === publish) continue;
    lost++;
    if (allowed === 'all' || (allowed === 'tail' && sameLife)) continue;
    violations.push({ kind: 'lost', channel, message: `${publish.id} was accepted at ${publish.cursor}; the channel is at ${head}` });
  }
  return lost;
}

function summarize({ clients, publishes }: Recording): Omit<CheckResult['summary'], 'lost'> {
  const events = clients.flatMap((client) => client.events);
  const joins = events.filter((event) => event.kind === 'subscribed');
  const count = (outcome: PublishRecord['outcome']): number => publishes.filter((publish) => publish.outcome === outcome).length;
  return {
    accepted: count('accepted'),
    unknown: count('unknown'),
    rejected: count('rejected'),
    delivered: events.filter(({ kind }) => kind === 'publication').length,
    recovered: joins.filter(({ recovered }) => recovered === true).length,
    unrecovered: joins.filter(({ recovered }) => recovered === false).length,
    resets: events.filter(({ kind }) => kind === 'reset').length,
  };
}
