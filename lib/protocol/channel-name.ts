/** Longest channel name in characters, unless `limits.channelNameLength` says otherwise. */
export const DEFAULT_CHANNEL_NAME_LENGTH = 256;

// One character class and no alternatives: it cannot backtrack on user input.
const CHANNEL_NAME = /^[A-Za-z0-9_.:-]+$/;

/** Whether `name` is a channel name: `[A-Za-z0-9_.:-]`, 1 to `maxLength` characters. */
export function isChannelName(name: unknown, maxLength = DEFAULT_CHANNEL_NAME_LENGTH): name is string {
  return typeof name === 'string' && name.length > 0 && name.length <= maxLength && CHANNEL_NAME.test(name);
}

/** The rule in words, for error messages. */
export function channelNameRule(maxLength = DEFAULT_CHANNEL_NAME_LENGTH): string {
  return `a channel name has 1 to ${maxLength} characters out of A-Z a-z 0-9 _ . : -`;
}
