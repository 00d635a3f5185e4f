const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * JSON.parse takes any depth, but what walks over the value afterwards recurses: class-transformer ends at some 2,000 levels,
 * JSON.stringify at some 5,000.
 */
export const MAX_NESTING = 1024;

/** Whether JSON is nested deeper than {@link MAX_NESTING}. Short texts, which cannot be, cost nothing. */
export function isNestedTooDeep(json: string): boolean {
  if (json.length <= 2 * MAX_NESTING) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(json, i);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > MAX_NESTING) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
      default:
    }
  }
  return false;
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let i = start + 1; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  return json.length;
}
