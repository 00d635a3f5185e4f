import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { HubStatus } from '../hub/hub-status';
import { HubService } from '../hub/hub.service';

/**
 * Says to `@nestjs/terminus` how the hub is. Provide it where `TerminusModule` is imported.
 *
 * @example
 * \@Controller('health')
 * export class HealthController {
 *   constructor(private readonly health: HealthCheckService, private readonly realtime: RealtimeHealthIndicator) {}
 *
 *   \@Get('live') @HealthCheck()
 *   live() { return this.health.check([() => this.realtime.isHealthy()]); }
 *
 *   \@Get('ready') @HealthCheck()
 *   ready() { return this.health.check([() => this.realtime.isReady()]); }
 * }
 *
 * @publicApi
 */
@Injectable()
export class RealtimeHealthIndicator {
  constructor(
    private readonly hub: HubService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Liveness: whether the hub runs. An outage of Redis does not change it, nor does a shutdown that waits for clients to
   * leave: restarting the process would help neither.
   *
   * @param key the name of this check in the answer
   */
  isHealthy<const Key extends string = 'realtime'>(key = 'realtime' as Key): HealthIndicatorResult<Key> {
    const status = this.hub.status();
    return this.answer(key, status.state === 'running' || status.state === 'draining', status);
  }

  /**
   * Readiness: whether new clients are well served here. It is down while the hub starts or shuts down, and while
   * messages do not get to the other instances and back.
   *
   * @param key the name of this check in the answer
   */
  isReady<const Key extends string = 'realtime'>(key = 'realtime' as Key): HealthIndicatorResult<Key> {
    const status = this.hub.status();
    return this.answer(key, status.ready, status);
  }

  private answer<const Key extends string>(key: Key, up: boolean, status: HubStatus): HealthIndicatorResult<Key> {
    const { state, reason, adapter } = status;
    const details = { state, adapter: adapter.name, ...(reason !== undefined && { message: reason }) };
    const indicator = this.indicators.check(key);
    return up ? indicator.up(details) : indicator.down(details);
  }
}
