import { RealtimeError } from '../protocol/errors';

/**
 * Where positions are kept across page reloads. `sessionStorage` fits: it belongs to one tab, as a position does. With
 * `localStorage` two tabs would overwrite each other's.
 *
 * @publicApi
 */
export interface PositionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The options about positions. */
export interface PositionSettings {
  readonly storage?: PositionStorage;
  readonly storagePrefix?: string;
}

/** Remembers each channel's cursor in a storage, if there is one. */
export class Positions {
  constructor(
    private readonly settings: PositionSettings,
    private readonly onError: (error: RealtimeError) => void,
  ) {}

  load(channel: string): string | undefined {
    return this.use(channel, (storage, key) => storage.getItem(key)) ?? undefined;
  }

  save(channel: string, cursor: string | undefined): void {
    this.use(channel, (storage, key) => {
      if (cursor === undefined) storage.removeItem(key);
      else storage.setItem(key, cursor);
    });
  }

  /** A storage may be full or forbidden: the client works without it. */
  private use<T>(channel: string, access: (storage: PositionStorage, key: string) => T): T | undefined {
    const { storage, storagePrefix = 'nestjs-realtime:' } = this.settings;
    try {
      return storage && access(storage, storagePrefix + channel);
    } catch (error) {
      this.onError(new RealtimeError('unavailable', `The storage failed: ${String(error)}`));
      return undefined;
    }
  }
}
