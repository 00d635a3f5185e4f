import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

const ROOM_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

@Injectable()
export class RoomNamePipe implements PipeTransform<string, string> {
  transform(name: string): string {
    if (ROOM_NAME.test(name)) return name;
    throw new BadRequestException("A room's name has 1 to 32 lower-case letters, digits and dashes");
  }
}
