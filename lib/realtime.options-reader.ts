import ms, { type StringValue } from 'ms';

/** An option of `RealtimeModule` cannot be used. Stops the start. @publicApi */
export class RealtimeOptionsError extends Error {
  override name = 'RealtimeOptionsError';

  constructor(
    /** The option, as in `heartbeat.interval`. */
    readonly option: string,
    readonly value: unknown,
    /** What may stand there, in words. */
    readonly allowed: string,
  ) {
    super(`RealtimeModule: the option "${option}" is ${show(value)}; allowed: ${allowed}.`);
  }
}

function show(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 100);
  } catch {
    return String(value);
  }
}

type Fields = Record<string, unknown>;

/** Reads one group of options, and refuses what it does not know. */
export class OptionsReader {
  private readonly values: Fields;

  /**
   * @param name of the group; empty for the top level
   * @throws RealtimeOptionsError when the group is no object or has a field that is not in `fields`
   */
  constructor(
    private readonly name: string,
    values: unknown,
    fields: readonly string[],
  ) {
    const given = values ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) {
      throw new RealtimeOptionsError(name || 'options', values, `an object with ${fields.join(', ')}`);
    }
    const unknown = Object.keys(given).find((field) => !fields.includes(field));
    if (unknown !== undefined) {
      throw new RealtimeOptionsError(this.path(unknown), (given as Fields)[unknown], `no such option; there are ${fields.join(', ')}`);
    }
    this.values = given as Fields;
  }

  has(field: string): boolean {
    return this.values[field] !== undefined;
  }

  raw(field: string): unknown {
    return this.values[field];
  }

  fail(field: string, allowed: string): never {
    throw new RealtimeOptionsError(this.path(field), this.values[field], allowed);
  }

  /** A whole number. 0 or less means the default, as does its absence. */
  count(field: string, fallback: number): number {
    const value = this.values[field] ?? fallback;
    if (typeof value !== 'number' || Number.isNaN(value)) return this.fail(field, 'a whole number');
    if (value <= 0) return fallback;
    if (value !== Infinity && !Number.isInteger(value)) return this.fail(field, 'a whole number');
    return value;
  }

  /** A length of time in ms. 0 or less means the default, as does its absence. */
  duration(field: string, fallback: number): number {
    const value = this.values[field] ?? fallback;
    const time = typeof value === 'string' ? parseDuration(value) : value;
    if (typeof time !== 'number' || !Number.isFinite(time)) {
      return this.fail(field, "a number of ms, or text such as '30s' or '10m'");
    }
    return time <= 0 ? fallback : time;
  }

  flag(field: string, fallback: boolean): boolean {
    const value = this.values[field] ?? fallback;
    return typeof value === 'boolean' ? value : this.fail(field, 'true or false');
  }

  choice<T extends string>(field: string, choices: readonly T[], fallback: T): T {
    const value = this.values[field] ?? fallback;
    return choices.includes(value as T) ? (value as T) : this.fail(field, choices.map((choice) => `'${choice}'`).join(', '));
  }

  private path(field: string): string {
    return this.name === '' ? field : `${this.name}.${field}`;
  }
}

/** Longest text that is looked at; `ms` itself takes up to 100 characters. */
const MAX_DURATION_LENGTH = 32;

function parseDuration(text: string): number | undefined {
  return text.length === 0 || text.length > MAX_DURATION_LENGTH ? undefined : ms(text as StringValue);
}
