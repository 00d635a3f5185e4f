import { Logger } from '@nestjs/common';
import type { AdapterInstance, AdapterReceiver } from '../../hub-adapter';
import type { RedisCommands } from '../connection/redis-commands';
import type { RedisNames } from '../redis-names';
import { BURIED, HEARTBEAT, INSTANCES } from './presence-scripts';
import type { RedisPresence } from './redis-presence';

export interface RegisterSettings {
  readonly heartbeat: number;
  readonly deadAfter: number;
}

/** Time to bury one dead instance in, in ms; after it another survivor takes over. */
const BURIAL = 10_000;
/** The buried are remembered for so long, in ms: one that was only cut off learns what was said about it. */
const REMEMBERED = 60 * 60 * 1000;

/**
 * Says that this instance is alive, and with the others looks after what dead ones leave behind. An instance that was
 * taken for dead goes on under another name.
 */
export class InstanceRegister {
  private readonly logger = new Logger('RedisAdapter');
  private readonly startedAt = new Date().toISOString();
  private timer: NodeJS.Timeout | undefined;
  private life = 0;
  /** Since when every heartbeat was heard, in ms since the epoch. */
  private heardSince: number | undefined;
  private beating: Promise<void> | undefined;

  constructor(
    private readonly instanceId: string,
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
    private readonly presence: RedisPresence,
    private readonly receiver: AdapterReceiver,
    private readonly settings: RegisterSettings,
  ) {}

  /** This instance's name in the register. */
  get owner(): string {
    return this.life === 0 ? this.instanceId : `${this.instanceId}.${this.life}`;
  }

  /** @returns once the others can see this instance, or once that has failed */
  async start(): Promise<void> {
    this.timer = setInterval(() => void this.beat(), this.settings.heartbeat).unref();
    await this.beat();
  }

  /** Signs off, unless members are left behind: the survivors then tell of their leaving. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
    if (!this.presence.empty) return;
    const { alive, info } = this.names.instances;
    const farewell = Promise.all([
      this.commands.command('Signing off', 'ZREM', [alive, this.owner], this.settings.heartbeat),
      this.commands.command('Signing off', 'HDEL', [info, this.owner], this.settings.heartbeat),
      this.commands.command('Signing off', 'DEL', [this.names.presenceOf(this.owner)], this.settings.heartbeat),
    ]);
    await farewell.catch(() => undefined);
  }

  async instances(): Promise<AdapterInstance[]> {
    const { alive, info } = this.names.instances;
    const args = [this.settings.deadAfter];
    const reply = (await this.commands.script('Listing instances', INSTANCES, alive, [alive, info], args)) as Buffer[];
    const found: AdapterInstance[] = [];
    for (let i = 0; i < reply.length; i += 2) {
      found.push({ ...(JSON.parse(reply[i + 1]!.toString('utf8') || '{}') as AdapterInstance), id: reply[i]!.toString('utf8').split('.')[0]! });
    }
    return found;
  }

  private beat(): Promise<void> {
    this.beating ??= this.tryBeat().finally(() => (this.beating = undefined));
    return this.beating;
  }

  private async tryBeat(): Promise<void> {
    const { alive, info, burying, buried } = this.names.instances;
    const { deadAfter, heartbeat } = this.settings;
    const sentAt = Date.now();
    const heard = this.heardSince !== undefined && sentAt - this.heardSince >= deadAfter;
    const about: Omit<AdapterInstance, 'id'> = { startedAt: this.startedAt, counts: this.receiver.counts?.() ?? {} };
    const args = [this.owner, deadAfter, JSON.stringify(about), heard ? 1 : 0, BURIAL, REMEMBERED];
    try {
      const keys = [alive, info, burying, buried];
      const reply = await this.commands.script('Sending a heartbeat', HEARTBEAT, alive, keys, args, heartbeat);
      const [status, dead] = reply as [Buffer, Buffer[]];
      this.heardSince ??= sentAt;
      await this.onHeard(status.toString('latin1'), dead.map(String));
    } catch (error) {
      // Once an outage, not once a heartbeat.
      if (this.heardSince !== undefined) this.logger.warn(`The heartbeat of this instance is not heard: ${String(error)}`);
      this.heardSince = undefined;
    }
  }

  private async onHeard(status: string, dead: readonly string[]): Promise<void> {
    if (status === 'buried') {
      this.logger.warn('This instance was silent for so long that the others took it for dead; its members come back');
      this.life++;
      this.heardSince = undefined;
      await this.presence.restore(true);
      return;
    }
    if (status === 'new') await this.presence.restore(false);
    await this.presence.repair();
    for (const owner of dead) await this.bury(owner);
  }

  private async bury(owner: string): Promise<void> {
    const { burying, buried } = this.names.instances;
    await this.presence.bury(owner);
    await this.commands.script('Removing dead members', BURIED, burying, [burying, buried], [owner]);
    this.logger.log(`Instance ${owner} is dead; what it left behind is removed`);
  }
}
