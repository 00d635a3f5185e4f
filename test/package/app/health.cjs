'use strict';
// An application with @nestjs/terminus asks the health indicator how the hub is.
require('reflect-metadata');
const assert = require('node:assert/strict');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { TerminusModule } = require('@nestjs/terminus');
const { RealtimeModule, RealtimeWsAdapter } = require('nestjs-realtime');
const { RealtimeHealthIndicator } = require('nestjs-realtime/health');

class AppModule {}
Module({ imports: [TerminusModule, RealtimeModule.forRoot({ isGlobal: true })], providers: [RealtimeHealthIndicator] })(AppModule);

async function main() {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const indicator = app.get(RealtimeHealthIndicator);
  const up = { realtime: { status: 'up', state: 'running', adapter: 'memory' } };
  assert.deepEqual([indicator.isHealthy(), indicator.isReady()], [up, up]);
  await app.close();
  console.log('done');
}

void main();
