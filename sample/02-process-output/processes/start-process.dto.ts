import { IsIn } from 'class-validator';
import { JOB_NAMES, type JobName } from './jobs';

/** The body of `POST /api/processes`. */
export class StartProcessDto {
  @IsIn(JOB_NAMES)
  job!: JobName;
}
