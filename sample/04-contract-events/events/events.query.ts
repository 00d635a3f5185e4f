import { IsOptional, Matches, MaxLength } from 'class-validator';

/** Which events are wanted. */
export class EventsQuery {
  @Matches(/^[A-Za-z0-9_-]{1,128}$/, { message: 'contractId is required: 1 to 128 characters out of A-Z a-z 0-9 _ -' })
  contractId!: string;

  /** The first topic, as text. */
  @IsOptional()
  @MaxLength(1024)
  topic0?: string;
}
