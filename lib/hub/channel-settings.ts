import type { HistorySettings } from '../adapter/hub-adapter';
import type { SlowConsumerPolicy } from './frame';
import { PatternRouter } from './pattern-router';

/** Presence on a channel. */
export interface PresenceSettings {
  /** Whether members are told of each other's coming and going by `join` and `leave`. */
  readonly announce: boolean;
  /** For how many ms a member whose connection was lost stays one. */
  readonly gracePeriod: number;
}

/** What the module options say about a channel, with every default filled in. */
export interface ChannelSettings {
  readonly history: HistorySettings | undefined;
  readonly presence: PresenceSettings | undefined;
  readonly policy: SlowConsumerPolicy;
}

/**
 * Which channels exist, and how they behave. A channel can be subscribed to when a pattern in the module's `channels`,
 * a handler or a source declares it.
 */
export class ChannelRules {
  private readonly settings = new PatternRouter<ChannelSettings>('The option "channels"');
  private readonly sourced = new PatternRouter<HistorySettings>('The option "sources"');
  private readonly declared = new Map<string, PatternRouter<true>>();

  constructor(private readonly defaults: ChannelSettings) {}

  /** @throws ChannelPatternError, DuplicatePatternError */
  define(pattern: string, settings: ChannelSettings): void {
    this.settings.add(pattern, settings);
  }

  /** A handler or source declares channels without saying how they behave. */
  declare(pattern: string, by: string): void {
    let router = this.declared.get(by);
    if (!router) this.declared.set(by, (router = new PatternRouter(by)));
    router.add(pattern, true);
  }

  /**
   * A source feeds these channels, and it is their history, whatever else is said about them.
   *
   * @throws ChannelPatternError, DuplicatePatternError
   */
  defineSourced(pattern: string, history: HistorySettings): void {
    this.sourced.add(pattern, history);
  }

  for(channel: string): ChannelSettings {
    const settings = this.settings.find(channel)?.value ?? this.defaults;
    const history = this.sourced.find(channel)?.value;
    return history ? { ...settings, history } : settings;
  }

  isDeclared(channel: string): boolean {
    if (this.settings.find(channel) || this.sourced.find(channel)) return true;
    for (const router of this.declared.values()) {
      if (router.find(channel)) return true;
    }
    return false;
  }
}
