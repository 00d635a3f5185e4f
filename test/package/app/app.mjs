import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { HubService, RealtimeModule, RealtimeWsAdapter, SubscribeChannel } from 'nestjs-realtime';
import { WebSocket } from 'ws';
import scenario from './scenario.cjs';

await scenario.run({
  nest: { Injectable, MessageBody, Module, NestFactory },
  realtime: { HubService, RealtimeModule, RealtimeWsAdapter, SubscribeChannel },
  WebSocket,
});
console.log('done');
