/** Longest event in characters: more than any server of ours sends, less than a broken stream could fill. */
const LONGEST_EVENT = 2 ** 24;

/**
 * Reads the data of Server-Sent Events out of a stream that may be cut anywhere.
 *
 * @returns takes the next piece of the stream and gives the data of the events that are complete with it (comments have
 * none); throws a RangeError when an event does not end
 */
export function eventStreamParser(): (chunk: string) => string[] {
  let rest = '';
  return (chunk) => {
    const events = (rest + chunk).split(/\r?\n\r?\n/);
    rest = events.pop()!;
    if (rest.length > LONGEST_EVENT) throw new RangeError('event too long');
    return events.map(dataOf).filter((data) => data !== '');
  };
}

function dataOf(event: string): string {
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
  return lines.map((line) => line.slice(5).trimStart()).join('\n');
}
