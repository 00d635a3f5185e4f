import { createHash } from 'node:crypto';
import type { StreamEntry, StreamPublication } from 'nestjs-realtime';

/** The stream that the indexer writes. */
export const STREAM = 'contract-events';

/** An entry of the stream as clients get it. */
export interface ContractEvent {
  /** The entry's. */
  id: string;
  contract_id: string;
  ledger_sequence: number;
  ledger_timestamp: string;
  transaction_hash: string;
  event_index: number;
  event_type: string;
  topics: unknown[];
  data: unknown;
}

/** The channel of a contract's events, or of those with a certain first topic. */
export function channelOf(contractId: string, topic0?: string): string {
  return topic0 === undefined ? `contract:${contractId}` : `contract:${contractId}:${nameOf(topic0)}`;
}

/** Each event goes to its contract's channel, and to that of its first topic: so nobody is sent what he did not ask for. */
export function toPublications({ id, fields }: StreamEntry): StreamPublication[] {
  const event = readEvent(id, fields);
  const [first] = event.topics;
  const channels = [channelOf(event.contract_id)];
  if (first !== undefined) channels.push(channelOf(event.contract_id, typeof first === 'string' ? first : JSON.stringify(first)));
  return channels.map((channel) => ({ channel, type: 'contract_event', data: event }));
}

/** @throws Error for an entry that is no event: the source counts and skips it */
function readEvent(id: string, fields: StreamEntry['fields']): ContractEvent {
  const topics: unknown = JSON.parse(fields.topics ?? '[]');
  if (!Array.isArray(topics)) throw new Error('"topics" is no array');
  if (!fields.contract_id) throw new Error('there is no "contract_id"');
  return {
    id,
    contract_id: fields.contract_id,
    ledger_sequence: Number(fields.ledger_sequence),
    ledger_timestamp: fields.ledger_timestamp ?? '',
    transaction_hash: fields.transaction_hash ?? '',
    event_index: Number(fields.event_index),
    event_type: fields.event_type ?? '',
    topics: topics as unknown[],
    data: parseOr(fields.data),
  };
}

/** Data are JSON or, as often with contracts, text. */
function parseOr(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A topic may hold anything; a channel's name may not. */
function nameOf(topic: string): string {
  return createHash('sha256').update(topic).digest('base64url').slice(0, 22);
}
