/** What an upgrade's path says. */
export interface UpgradePath {
  /** The room in `{path}/:room`. */
  readonly room?: string;
}

/** @returns undefined when the URL is not below `path`; a room that cannot be decoded is given as it stands */
export function matchUpgradePath(path: string, url: string): UpgradePath | undefined {
  const end = url.indexOf('?');
  const pathname = end === -1 ? url : url.slice(0, end);
  if (pathname === path || pathname === `${path}/`) return {};
  const prefix = path === '/' ? '/' : `${path}/`;
  if (!pathname.startsWith(prefix)) return undefined;
  const room = pathname.slice(prefix.length);
  return room.includes('/') ? undefined : { room: decode(room) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
