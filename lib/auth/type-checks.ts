/** An object of any kind, whose properties may be anything. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A function, or a class. */
export function isFunction(value: unknown): value is ((...parameters: unknown[]) => unknown) & { prototype: unknown } {
  return typeof value === 'function';
}
