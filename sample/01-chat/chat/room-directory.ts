import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { HubService, OnSubscribe, RealtimeError } from 'nestjs-realtime';
import type { VisitorInfo } from './visitors';

/** A room as it is listed. */
export interface Room {
  readonly name: string;
  readonly topic: string;
  /** Different names in the room, over all instances. */
  readonly members: number;
  /** Whether it is listed with nobody in it too. */
  readonly permanent: boolean;
}

/** Rooms that are listed with nobody in them too, and what they are for. */
const PERMANENT: ReadonlyMap<string, string> = new Map([
  ['lobby', 'Say hello. Everybody starts here.'],
  ['engineering', 'What we build, and what broke.'],
  ['design', 'Pixels, words and sharp pencils.'],
  ['music', 'What are you listening to?'],
]);

/** Rooms that visitors made; one is gone when the last has left it. */
const MAX_ROOMS = 200;

/** Changes within this time are told together, in ms. Long enough for an entry that has just been allowed to be through. */
const ANNOUNCE_DELAY = 100;

/** Knows which rooms there are, and tells whoever watches the channel `directory` how full they are. */
@Injectable()
export class RoomDirectory implements OnModuleDestroy {
  private readonly logger = new Logger(RoomDirectory.name);
  private readonly changed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(private readonly hub: HubService) {}

  @OnSubscribe('directory')
  list(): Promise<Room[]> {
    const names = new Set([...PERMANENT.keys(), ...this.openRooms()]);
    return Promise.all([...names].map((name) => this.describe(name)));
  }

  async describe(name: string): Promise<Room> {
    const { members } = await this.hub.presence(`room:${name}`);
    const names = new Set(members.map(({ info }) => (info as VisitorInfo | null)?.name));
    const topic = PERMANENT.get(name);
    return { name, topic: topic ?? 'A room that a visitor opened.', members: names.size, permanent: topic !== undefined };
  }

  /** @throws RealtimeError `limit_exceeded` when the room would be one too many */
  assertRoomFor(name: string): void {
    const open = this.openRooms();
    if (PERMANENT.has(name) || open.includes(name) || open.length < MAX_ROOMS) return;
    throw new RealtimeError('limit_exceeded', 'There are as many rooms as there can be: join one of them');
  }

  /** Somebody enters or has left. */
  touch(name: string): void {
    if (this.stopping) return;
    this.changed.add(name);
    this.timer ??= setTimeout(() => void this.announce(), ANNOUNCE_DELAY);
  }

  onModuleDestroy(): void {
    this.stopping = true;
    clearTimeout(this.timer);
  }

  private openRooms(): string[] {
    const rooms = this.hub.channels().filter(({ name }) => name.startsWith('room:'));
    return rooms.map(({ name }) => name.slice('room:'.length));
  }

  private async announce(): Promise<void> {
    this.timer = undefined;
    const names = [...this.changed];
    this.changed.clear();
    try {
      for (const name of names) await this.hub.publish('directory', await this.describe(name), { type: 'room' });
    } catch (error) {
      this.logger.warn(`The directory could not be told about ${names.join(', ')}: ${String(error)}`);
    }
  }
}
