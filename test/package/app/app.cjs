'use strict';
require('reflect-metadata');
const { Injectable, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { MessageBody } = require('@nestjs/websockets');
const { HubService, RealtimeModule, RealtimeWsAdapter, SubscribeChannel } = require('nestjs-realtime');
const { WebSocket } = require('ws');
const { run } = require('./scenario.cjs');

void run({
  nest: { Injectable, MessageBody, Module, NestFactory },
  realtime: { HubService, RealtimeModule, RealtimeWsAdapter, SubscribeChannel },
  WebSocket,
}).then(() => console.log('done'));
