import { Transform } from 'class-transformer';
import { IsOptional, IsString, Length, Matches } from 'class-validator';

export const MAX_NAME_LENGTH = 24;

/** Letters and digits of any script, and between them spaces, dots, dashes, underscores and apostrophes. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._'’-]*[\p{L}\p{M}\p{N}.])?$/u;

/** The query of the handshake: `/ws?name=Ada`. */
export class VisitorDto {
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim().replaceAll(/\s+/g, ' ') : value))
  @IsString({ message: 'name must be given once' })
  @Length(1, MAX_NAME_LENGTH, { message: `name must have 1 to ${MAX_NAME_LENGTH} characters` })
  @Matches(NAME, { message: 'name may have letters, digits, spaces, dots, dashes and apostrophes' })
  name?: string;
}
