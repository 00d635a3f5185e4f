import { Module } from '@nestjs/common';
import { AppModule } from '../../01-chat/app.module';
import { VisitorReport } from './visitor-report';

/** The chat as it is, and the report for the panel. */
@Module({ imports: [AppModule], providers: [VisitorReport] })
export class InstanceModule {}
