import { Controller, Get } from '@nestjs/common';
import { type Room, RoomDirectory } from './room-directory';

@Controller('api/rooms')
export class RoomsController {
  constructor(private readonly directory: RoomDirectory) {}

  @Get()
  list(): Promise<Room[]> {
    return this.directory.list();
  }
}
