import { Logger } from '@nestjs/common';
import type { HubAdapter, StoredPublication } from '../adapter/hub-adapter';
import { decodeCursor, encodeCursor } from '../protocol/cursor';
import type { EnvelopeFields } from '../protocol/envelope';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import type { ChannelRules } from './channel-settings';
import { InvalidHistoryLimitError } from './hub.errors';

/** Which part of a channel's history. @publicApi */
export interface HistoryRequest {
  /** At most so many publications: a whole number from 1; above 1000 it is 1000. @default 100 */
  limit?: number;
  /** Begin after this cursor; in reverse, before it. */
  after?: string;
  /** Newest first. @default false */
  reverse?: boolean;
}

/** A publication out of the history. @publicApi */
export interface HistoryEntry {
  type: string;
  channel: string;
  data?: unknown;
  from?: string;
  cursor: string;
  timestamp: string;
}

/** A page of a channel's history. @publicApi */
export interface HistoryPage {
  publications: HistoryEntry[];
  /** Where the channel stands now. */
  cursor: string;
  /** Whether nothing that is held lies beyond this page, and nothing between `after` and it was lost. */
  complete: boolean;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Payloads of a page together, in bytes: a page is sent as one frame. */
const MAX_PAGE_BYTES = 512 * 1024;

/** Pages through what channels keep. */
export class ChannelHistory {
  private readonly logger = new Logger('Hub');

  constructor(
    private readonly adapter: HubAdapter,
    private readonly rules: ChannelRules,
    private readonly fields: EnvelopeFields,
  ) {}

  /**
   * @throws InvalidHistoryLimitError; RealtimeError `not_found` for a channel without history, `bad_request` for a cursor that
   * is none
   */
  async page(channel: string, { limit = DEFAULT_LIMIT, after, reverse }: HistoryRequest): Promise<HistoryPage> {
    if (!Number.isInteger(limit) || limit < 1) throw new InvalidHistoryLimitError(limit);
    const { history } = this.rules.for(channel);
    if (!history) {
      throw new RealtimeError(ErrorCode.NotFound, `The channel ${JSON.stringify(channel)} keeps no history`);
    }
    const position = decodeCursor(after);
    if (after !== undefined && !position) {
      throw new RealtimeError(ErrorCode.BadRequest, '"after" must be a cursor that this server has given out');
    }
    const query = { limit: Math.min(limit, MAX_LIMIT), after: position, reverse };
    const page = await this.adapter.history(channel, query, history);
    const fitting = page.publications.slice(0, fittingCount(page.publications));
    return {
      publications: fitting.map((publication) => this.toEntry(channel, publication)).filter((entry) => entry !== undefined),
      cursor: encodeCursor(page.position),
      complete: page.complete && fitting.length === page.publications.length,
    };
  }

  /** @returns undefined for what is no message: it is left out, so that the rest can be had */
  private toEntry(channel: string, { payload, position }: StoredPublication): HistoryEntry | undefined {
    const cursor = encodeCursor(position);
    try {
      const message = JSON.parse(payload.toString('utf8')) as Record<string, unknown>;
      const { [this.fields.type]: type, [this.fields.data]: data, ...rest } = message;
      return { type, data, ...rest, cursor } as HistoryEntry;
    } catch {
      this.logger.warn(`The history of ${channel} holds something at ${cursor} that is no JSON: it is left out`);
      return undefined;
    }
  }
}

/** How many fit into one page: at least one, so that every page goes on from the one before. */
function fittingCount(publications: readonly StoredPublication[]): number {
  let bytes = 0;
  const tooMuch = publications.findIndex(({ payload }) => (bytes += payload.length) > MAX_PAGE_BYTES);
  return tooMuch === -1 ? publications.length : Math.max(1, tooMuch);
}
