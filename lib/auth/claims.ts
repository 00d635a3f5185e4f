import { isFunction, isRecord } from './type-checks';

/** Deeper than any real token, shallow enough that a hostile one cannot exhaust the stack. */
const MAX_DEPTH = 64;
/** Claims live as long as the connection, so one user must not carry a database with it. */
const MAX_OBJECTS = 10_000;

interface Copying {
  readonly seen: Map<object, unknown>;
  objects: number;
}

/**
 * Copies claims as JSON would carry them (an object with `toJSON` by what that returns, functions and symbols left out)
 * and freezes every level: what was authorised at the upgrade stays true for the life of the connection, whatever
 * the application does to the object it came from. Circular references are kept.
 *
 * @param source an object with the claims
 * @param omit names of the first level that are left out
 * @throws TypeError when the claims are nested too deep or hold too many objects
 */
export function freezeClaims(source: object, omit: readonly string[] = []): Readonly<Record<string, unknown>> {
  const plain = toPlain(source);
  if (!isRecord(plain) || Array.isArray(plain)) {
    throw new TypeError('Claims must be an object with named values');
  }
  return copyObject(plain, { seen: new Map(), objects: 0 }, 0, omit);
}

function copyValue(value: unknown, copying: Copying, depth: number): unknown {
  const plain = toPlain(value);
  if (typeof plain === 'function' || typeof plain === 'symbol') return undefined;
  if (!isRecord(plain)) return plain;
  const known = copying.seen.get(plain);
  if (known !== undefined) return known;
  return Array.isArray(plain) ? copyArray(plain, copying, depth) : copyObject(plain, copying, depth);
}

function copyArray(source: readonly unknown[], copying: Copying, depth: number): readonly unknown[] {
  const copy: unknown[] = [];
  enter(source, copy, copying, depth);
  for (const item of source) copy.push(copyValue(item, copying, depth + 1));
  return Object.freeze(copy);
}

function copyObject(
  source: object,
  copying: Copying,
  depth: number,
  omit: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const copy: Record<string, unknown> = {};
  enter(source, copy, copying, depth);
  for (const [name, item] of Object.entries(source)) {
    // A parsed token can own a `__proto__` key; assigning it would replace the prototype of the copy.
    if (name === '__proto__' || omit.includes(name)) continue;
    const value = copyValue(item, copying, depth + 1);
    if (value !== undefined) copy[name] = value;
  }
  return Object.freeze(copy);
}

function enter(source: object, copy: object, copying: Copying, depth: number): void {
  if (depth > MAX_DEPTH) throw new TypeError(`Claims are nested deeper than ${MAX_DEPTH} levels`);
  if (++copying.objects > MAX_OBJECTS) throw new TypeError(`Claims hold more than ${MAX_OBJECTS} objects`);
  copying.seen.set(source, copy);
}

function toPlain(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { toJSON } = value;
  return isFunction(toJSON) ? Reflect.apply(toJSON, value, []) : value;
}
