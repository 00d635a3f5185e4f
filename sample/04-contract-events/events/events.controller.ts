import { Controller, Get, Query, ValidationPipe } from '@nestjs/common';
import { type HistoryEntry, HubService } from 'nestjs-realtime';
import { channelOf } from './contract-event';
import { EventsQuery } from './events.query';

/** What the page shows before anything comes: the stream is the history. */
@Controller('api/events')
export class EventsController {
  constructor(private readonly hub: HubService) {}

  @Get()
  async latest(@Query(new ValidationPipe({ transform: true })) { contractId, topic0 }: EventsQuery): Promise<HistoryEntry[]> {
    const { publications } = await this.hub.history(channelOf(contractId, topic0 || undefined), { limit: 50, reverse: true });
    return publications;
  }
}
