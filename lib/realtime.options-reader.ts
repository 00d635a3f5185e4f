import ms, { type StringValue } from 'ms';

/** An option of `RealtimeModule` cannot be used. Stops the start. @publicApi */
export class RealtimeOptionsError extends Error {
  override name = 'RealtimeOptionsError';
  /** What was given; undefined where that may hold a secret, as in `auth`, `adapter`, `sources` and options that do not exist. */
  readonly value: unknown;

  /** @param concealed whether the value must not be shown */
  constructor(
    /** The option, as in `heartbeat.interval`. */
    readonly option: string,
    value: unknown,
    /** What may stand there, in words. */
    readonly allowed: string,
    concealed = SECRETIVE.test(option),
  ) {
    const shown = concealed ? kindOf(value) : show(value);
    super(`RealtimeModule: the option "${option}" is ${shown}; allowed: ${allowed}.`);
    this.value = concealed ? undefined : value;
  }
}

/** Options that keys, passwords and URLs with a password are given to. */
const SECRETIVE = /^(?:auth|adapter|sources)\b/;

const MAX_SHOWN_LENGTH = 100;

function show(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (Array.isArray(value)) return `[${value.map(showItem).join(', ')}]`.slice(0, MAX_SHOWN_LENGTH);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, MAX_SHOWN_LENGTH);
  } catch {
    return kindOf(value);
  }
}

function showItem(item: unknown): string {
  return Array.isArray(item) ? 'a list' : show(item);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

type Fields = Record<string, unknown>;

/** Reads one group of options, and refuses what it does not know. */
export class OptionsReader {
  private readonly values: Fields;

  /**
   * @param name of the group; empty for the top level
   * @param otherwise what may stand there beside an object, in words
   * @throws RealtimeOptionsError when the group is no object or has a field that is not in `fields`
   */
  constructor(
    private readonly name: string,
    values: unknown,
    fields: readonly string[],
    otherwise = '',
  ) {
    const given = values ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) {
      throw new RealtimeOptionsError(name || 'options', values, `${otherwise}an object with ${fields.join(', ')}`);
    }
    const unknown = Object.keys(given).find((field) => !fields.includes(field));
    if (unknown !== undefined) {
      const allowed = `no such option; there are ${fields.join(', ')}`;
      throw new RealtimeOptionsError(this.path(unknown), (given as Fields)[unknown], allowed, true);
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

  /** A length of time in whole ms. 0 or less means the default, as does its absence. */
  duration(field: string, fallback: number): number {
    const value = this.values[field] ?? fallback;
    const time = typeof value === 'string' ? parseDuration(value) : value;
    if (typeof time !== 'number' || !Number.isFinite(time)) return this.fail(field, DURATION);
    return time <= 0 ? fallback : Math.ceil(time);
  }

  /** The same for what a timer waits for: Node runs one that is set to more at once. */
  timeout(field: string, fallback: number): number {
    const time = this.duration(field, fallback);
    return time <= LONGEST_TIMER ? time : this.fail(field, `${DURATION}, of up to 24 days`);
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

const DURATION = "a number of ms, or text such as '30s' or '10m'";
/** In ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Longest text that is looked at; `ms` itself takes up to 100 characters. */
const MAX_DURATION_LENGTH = 32;

function parseDuration(text: string): number | undefined {
  return text.length === 0 || text.length > MAX_DURATION_LENGTH ? undefined : ms(text as StringValue);
}
