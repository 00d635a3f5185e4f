import { Global, Module } from '@nestjs/common';
import { Environment } from './environment';

/** Makes the environment injectable, as `@nestjs/config` would. */
@Global()
@Module({
  providers: [{ provide: Environment, useFactory: () => new Environment(process.env) }],
  exports: [Environment],
})
export class EnvironmentModule {}
