/**
 * What the client's types must accept and refuse. Nothing here is run: the type checker judges it, and an
 * `@ts-expect-error` without an error is an error.
 */
import {
  type Channel,
  type ConnectedContext,
  type DeclarationOf,
  type MessagesOf,
  type PatternOf,
  type PresenceMember,
  type PublishAck,
  RealtimeClient,
  type SubscribedContext,
} from '../../../lib/client';
import type { HubService } from 'nestjs-realtime';
import { type Equal, expectType } from './expect-type';

interface ChatMessage {
  text: string;
  author: string;
}

interface RoomSnapshot {
  topic: string;
}

interface AppChannels {
  'room:{name}': {
    messages: { chat: ChatMessage; typing: { user: string } };
    publishes: { chat: { text: string } };
    subscribed: RoomSnapshot;
    info: { color: string };
  };
  'room:lobby': { messages: { announcement: string } };
  'room:{name}:admin': { messages: { alert: number } };
  'ticker:*': { messages: { price: number } };
  'process:pid-{pid}': { messages: { process_output: string } };
}

interface AppRequests {
  quote: { request: { symbol: string }; response: { price: number } };
  hello: { response: string };
}

type Three<T> = [T, T, T];

declare const client: RealtimeClient<AppChannels, AppRequests>;
declare const name: string;

export function aNameFindsItsPattern(): void {
  expectType<Equal<PatternOf<AppChannels, 'room:tea'>, 'room:{name}'>>();
  expectType<Equal<PatternOf<AppChannels, 'room:lobby'>, 'room:lobby'>>();
  expectType<Equal<PatternOf<AppChannels, 'room:tea:admin'>, 'room:{name}:admin'>>();
  expectType<Equal<PatternOf<AppChannels, 'ticker:eu:btc'>, 'ticker:*'>>();
  expectType<Equal<PatternOf<AppChannels, 'process:pid-7'>, 'process:pid-{pid}'>>();
  expectType<Equal<PatternOf<AppChannels, 'process:7'>, never>>();
  expectType<Equal<PatternOf<AppChannels, 'room:tea:other'>, never>>();
  expectType<Equal<PatternOf<AppChannels, `room:${string}`>, 'room:{name}'>>();
  expectType<Equal<PatternOf<{ '*': AppChannels['room:lobby']; 'a:{b}': AppChannels['room:lobby'] }, 'a:c'>, 'a:{b}'>>();
}

export function aChannelHasTheTypesOfItsPattern(): void {
  expectType<Equal<ReturnType<typeof roomOf>, Channel<AppChannels['room:{name}']>>>();
  expectType<Equal<DeclarationOf<AppChannels, 'room:tea'>, AppChannels['room:{name}']>>();
  client.channel('room:lobby').on('message', (message, { type }) => {
    expectType<Equal<typeof message, string>>();
    expectType<Equal<typeof type, 'announcement'>>();
  });
  client.channel('ticker:eu:btc').on('message', (price) => expectType<Equal<typeof price, number>>());
  // @ts-expect-error no pattern has this name
  client.channel('rooms:lobby');
  // @ts-expect-error {name} stays inside its segment
  client.channel('room:tea:other');
  // @ts-expect-error with declared channels, no data can be claimed for one
  client.channel<ChatMessage>('room:tea');
}

function roomOf(): Channel<AppChannels['room:{name}']> {
  return client.channel(`room:${name}`);
}

export async function messagesAreTypedByType(): Promise<void> {
  const room = client.channel('room:tea');
  room.on('message', (message) => expectType<Equal<typeof message, ChatMessage | { user: string }>>());
  room.on('message', (message, context) => {
    expectType<Equal<typeof message, ChatMessage | { user: string }>>();
    expectType<Equal<typeof context.type, 'chat' | 'typing'>>();
  });
  room.onMessage('chat', (message, { from, cursor }) => {
    expectType<Equal<typeof message, ChatMessage>>();
    expectType<Equal<typeof from, string | undefined>>();
    expectType<Equal<typeof cursor, string | undefined>>();
  });
  // @ts-expect-error no such message
  room.onMessage('other', () => undefined);
  for await (const message of room) expectType<Equal<typeof message, ChatMessage | { user: string }>>();
  for await (const message of room.messages()) {
    if (message.type === 'chat') expectType<Equal<typeof message.data, ChatMessage>>();
    else expectType<Equal<typeof message.data, { user: string }>>();
  }
  for (const publication of (await room.history()).publications) {
    if (publication.type === 'typing') expectType<Equal<typeof publication.data, { user: string }>>();
  }
}

export async function subscribingGivesItsData(): Promise<void> {
  const { data } = await client.channel('room:tea').subscribe();
  expectType<Equal<typeof data, RoomSnapshot>>();
  client.channel('room:tea').on('subscribed', (context) => {
    expectType<Equal<typeof context, SubscribedContext<RoomSnapshot>>>();
  });
  const lobby = await client.channel('room:lobby').subscribe();
  expectType<Equal<typeof lobby.data, undefined>>();
}

export async function publishingTakesWhatIsDeclared(): Promise<void> {
  const ack = await client.channel('room:tea').publish('chat', { text: 'hi' });
  expectType<Equal<typeof ack, PublishAck>>();
  await client.channel('room:lobby').publish('announcement', 'tea');
  // @ts-expect-error clients do not publish this type
  await client.channel('room:tea').publish('typing', { user: 'ann' });
  // @ts-expect-error the author is the server's to say
  await client.channel('room:tea').publish('chat', { text: 'hi', author: 'ann' });
  // @ts-expect-error the data of another type
  await client.channel('room:lobby').publish('announcement', { text: 'hi' });
}

export async function presenceHasItsInfo(): Promise<void> {
  const room = client.channel('room:tea');
  const [member] = room.presence();
  expectType<Equal<typeof member, PresenceMember<{ color: string }> | undefined>>();
  room.on('join', ({ info }) => expectType<Equal<typeof info, { color: string }>>());
  const { members } = await room.fetchPresence();
  expectType<Equal<NonNullable<(typeof members)[0]>['info'], { color: string }>>();
  client.channel('room:lobby').on('leave', ({ info }) => expectType<Equal<typeof info, unknown>>());
}

export async function requestsAreTyped(): Promise<void> {
  const quote = await client.request('quote', { symbol: 'X' });
  expectType<Equal<typeof quote, { price: number }>>();
  const hello = await client.request('hello', undefined);
  expectType<Equal<typeof hello, string>>();
  // @ts-expect-error no such request
  await client.request('other', {});
  // @ts-expect-error the symbol is missing
  await client.request('quote', {});
}

export function statesHaveTheirContext(): void {
  client.on('state', (state) => expectType<Equal<typeof state, 'disconnected' | 'connecting' | 'connected'>>());
  client.on('state', (state, context) => {
    if (state === 'connected') expectType<Equal<typeof context, ConnectedContext>>();
    if (state === 'disconnected') expectType<Equal<typeof context.willReconnect, boolean>>();
  });
  // @ts-expect-error no such event
  client.on('connected', () => undefined);
}

export async function theSameDeclarationTypesTheServer(hub: HubService<AppChannels>): Promise<void> {
  const { cursor } = await hub.publish('room:tea', { text: 'hi', author: 'ann' }, { type: 'chat', idempotencyKey: 'k' });
  expectType<Equal<typeof cursor, string | undefined>>();
  await hub.publish(`room:${name}`, { user: 'ann' }, { type: 'typing' });
  expectType<Equal<MessagesOf<AppChannels, 'room:lobby'>, { announcement: string }>>();
  // @ts-expect-error the data of another type
  await hub.publish('room:tea', { user: 'ann' }, { type: 'chat' });
  // @ts-expect-error no such type on this channel
  await hub.publish('room:lobby', 'tea', { type: 'chat' });
  // @ts-expect-error the type must be said
  await hub.publish('room:tea', { text: 'hi', author: 'ann' });
  // @ts-expect-error no pattern has this name
  await hub.publish('nowhere', 'tea', { type: 'chat' });
}

export async function withoutDeclarationsTheServerPublishesAnything(hub: HubService): Promise<void> {
  await hub.publish('anywhere');
  await hub.publish(name, { goes: true });
  await hub.publish(name, { goes: true }, { type: 'any', exclude: ['c1'] });
  // @ts-expect-error no such option
  await hub.publish(name, {}, { kind: 'any' });
}

export async function withoutDeclarationsEverythingIsAllowed(): Promise<void> {
  const open = new RealtimeClient('wss://example.test/ws');
  const room = open.channel<ChatMessage>(name);
  room.on('message', (message, { type, from, cursor, timestamp }) => {
    expectType<Equal<typeof message, ChatMessage>>();
    expectType<Equal<typeof type, string>>();
    expectType<Equal<[typeof from, typeof cursor, typeof timestamp], Three<string | undefined>>>();
  });
  room.on('subscribed', ({ recovered, data }) => {
    expectType<Equal<typeof recovered, boolean | undefined>>();
    expectType<Equal<typeof data, unknown>>();
  });
  await room.publish('anything', { goes: true });
  for await (const message of room) expectType<Equal<typeof message, ChatMessage>>();
  const answer = await open.request<{ price: number }>('quote', { symbol: 'X' });
  expectType<Equal<typeof answer, { price: number }>>();
  const unknownAnswer = await open.request('quote');
  expectType<Equal<typeof unknownAnswer, unknown>>();
  open.channel('any').on('message', (message) => expectType<Equal<typeof message, unknown>>());
}
