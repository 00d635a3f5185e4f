import { channelNameRule, isChannelName } from './channel-name';

/** Values of a pattern's `{name}` segments. @publicApi */
export type ChannelParams = Readonly<Record<string, string>>;

/** A pattern that cannot be used. Stops the start. @publicApi */
export class ChannelPatternError extends Error {
  override name = 'ChannelPatternError';

  constructor(
    readonly pattern: string,
    reason: string,
  ) {
    super(
      `The channel pattern ${JSON.stringify(pattern)} ${reason}. A pattern is literal text with {name} in its ` +
        `segments (segments are parted by ":", one {name} each) or a final "*", as in "room:{name}" or "ticker:*".`,
    );
  }
}

interface Segment {
  readonly prefix: string;
  readonly suffix: string;
  /** The parameter between prefix and suffix; undefined in a literal segment. */
  readonly param?: string;
}

const NO_PARAMS: ChannelParams = Object.freeze({});

/**
 * A compiled channel pattern: literal text with `{name}` segments, as in an AsyncAPI address, or a final `*`.
 *
 * Segments are parted by `:`. `{name}` takes at least one character and stays inside its segment; `*` takes the rest
 * of the name, across segments. Matching is string comparison, in time proportional to the name.
 */
export class ChannelPattern {
  private readonly segments: readonly Segment[];
  /** Text before a final `*`; undefined without one. */
  private readonly wildcardPrefix?: string;

  /** @throws ChannelPatternError */
  constructor(readonly source: string) {
    if (source.endsWith('*')) {
      this.wildcardPrefix = source.slice(0, -1);
      this.segments = [];
      const invalid = this.wildcardPrefix !== '' && !isChannelName(this.wildcardPrefix);
      if (invalid) throw new ChannelPatternError(source, 'may have nothing but literal text before its final "*"');
      return;
    }
    this.segments = source.split(':').map((segment) => parseSegment(source, segment));
    assertNoRepeatedParam(source, this.segments);
  }

  /** @returns the parameters, or undefined when the name does not match */
  match(channel: string): ChannelParams | undefined {
    if (this.wildcardPrefix !== undefined) {
      const matches = channel.length > this.wildcardPrefix.length && channel.startsWith(this.wildcardPrefix);
      return matches ? NO_PARAMS : undefined;
    }
    const parts = channel.split(':');
    if (parts.length !== this.segments.length) return undefined;

    let params: Record<string, string> | undefined;
    for (let i = 0; i < parts.length; i++) {
      const segment = this.segments[i]!;
      const part = parts[i]!;
      if (segment.param === undefined) {
        if (part !== segment.prefix) return undefined;
        continue;
      }
      const value = extractParam(segment, part);
      if (value === undefined) return undefined;
      params ??= Object.create(null) as Record<string, string>;
      params[segment.param] = value;
    }
    return params ?? NO_PARAMS;
  }

  /** Patterns with the same shape match the same names: whatever their parameters are called, they are equal. */
  get shape(): string {
    if (this.wildcardPrefix !== undefined) return this.source;
    return this.segments
      .map((segment) => (segment.param === undefined ? segment.prefix : `${segment.prefix}{}${segment.suffix}`))
      .join(':');
  }

  /**
   * Orders patterns so that of all that match a name the most specific comes first: segment by segment literal text
   * before a parameter, more literal text before less (at its start, where both have as much), and a final `*` last, the
   * longer one first. Of different patterns that match the same name no two are equal.
   */
  static compare(a: ChannelPattern, b: ChannelPattern): number {
    if (a.wildcardPrefix !== undefined || b.wildcardPrefix !== undefined) {
      if (a.wildcardPrefix === undefined) return -1;
      if (b.wildcardPrefix === undefined) return 1;
      return b.wildcardPrefix.length - a.wildcardPrefix.length;
    }
    // With different counts of segments no name matches both, but only an order that covers them too can be sorted by.
    if (a.segments.length !== b.segments.length) return a.segments.length - b.segments.length;
    for (let i = 0; i < a.segments.length; i++) {
      const difference = compareSegments(a.segments[i]!, b.segments[i]!);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

function compareSegments(a: Segment, b: Segment): number {
  return literalWeight(b) - literalWeight(a) || b.prefix.length - a.prefix.length;
}

function literalWeight(segment: Segment): number {
  return segment.param === undefined ? Number.MAX_SAFE_INTEGER : segment.prefix.length + segment.suffix.length;
}

function extractParam(segment: Segment, part: string): string | undefined {
  const end = part.length - segment.suffix.length;
  if (end <= segment.prefix.length) return undefined;
  if (!part.startsWith(segment.prefix) || !part.endsWith(segment.suffix)) return undefined;
  return part.slice(segment.prefix.length, end);
}

function parseSegment(source: string, text: string): Segment {
  const open = text.indexOf('{');
  if (open === -1) {
    assertLiteral(source, text);
    if (text === '' && source === '') throw new ChannelPatternError(source, 'is empty');
    return { prefix: text, suffix: '' };
  }
  const close = text.indexOf('}', open);
  if (close === -1) throw new ChannelPatternError(source, 'has a "{" without its "}"');
  const param = text.slice(open + 1, close);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(param)) {
    throw new ChannelPatternError(source, `names a parameter ${JSON.stringify(param)}, which is no identifier`);
  }
  const segment = { prefix: text.slice(0, open), suffix: text.slice(close + 1), param };
  assertLiteral(source, segment.prefix);
  assertLiteral(source, segment.suffix);
  return segment;
}

function assertLiteral(source: string, text: string): void {
  if (text === '' || isChannelName(text)) return;
  throw new ChannelPatternError(source, `has ${JSON.stringify(text)} where only literal text may stand: ${channelNameRule()}`);
}

function assertNoRepeatedParam(source: string, segments: readonly Segment[]): void {
  const params = segments.flatMap((segment) => segment.param ?? []);
  if (new Set(params).size !== params.length) throw new ChannelPatternError(source, 'uses a parameter name twice');
}
