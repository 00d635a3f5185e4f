import { Transform } from 'class-transformer';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';

export const MAX_TEXT_LENGTH = 1000;

/** What a client publishes to a room. */
export class SayDto {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @IsString({ message: 'A message needs a text' })
  @MaxLength(MAX_TEXT_LENGTH, { message: `A message can have up to ${MAX_TEXT_LENGTH} characters` })
  @Matches(/\S/, { message: 'A message needs a text' })
  text!: string;

  /** The page's own name for the message, by which it knows it again when it comes back. */
  @IsOptional()
  @Matches(/^[\w-]{1,40}$/, { message: 'key can have up to 40 letters, digits, dashes and underscores' })
  key?: string;
}
