import { ChannelPattern, type ChannelParams } from '../protocol/channel-pattern';

/** Two patterns that match the same names. Stops the start. @publicApi */
export class DuplicatePatternError extends Error {
  override name = 'DuplicatePatternError';

  constructor(
    readonly pattern: string,
    readonly existing: string,
    readonly what: string,
  ) {
    super(
      `${what} has the pattern ${JSON.stringify(pattern)} twice (the other one is ${JSON.stringify(existing)}): ` +
        'both match the same channels, so neither could win. Remove one, or make one more specific.',
    );
  }
}

/** What a pattern leads to, with the parameters it took from the channel's name. */
export interface PatternMatch<T> {
  readonly value: T;
  readonly params: ChannelParams;
}

/** Finds what belongs to a channel's name: of all patterns that match, the most specific wins. */
export class PatternRouter<T> {
  private readonly routes: { pattern: ChannelPattern; value: T }[] = [];

  /** @param what names the router in errors, such as `@SubscribeChannel` */
  constructor(private readonly what: string) {}

  /** @throws ChannelPatternError, DuplicatePatternError */
  add(source: string, value: T): void {
    const pattern = new ChannelPattern(source);
    const equal = this.routes.find((route) => route.pattern.shape === pattern.shape);
    if (equal) throw new DuplicatePatternError(source, equal.pattern.source, this.what);
    this.routes.push({ pattern, value });
    this.routes.sort((a, b) => ChannelPattern.compare(a.pattern, b.pattern));
  }

  find(channel: string): PatternMatch<T> | undefined {
    for (const { pattern, value } of this.routes) {
      const params = pattern.match(channel);
      if (params) return { value, params };
    }
    return undefined;
  }

  get patterns(): string[] {
    return this.routes.map((route) => route.pattern.source);
  }
}
