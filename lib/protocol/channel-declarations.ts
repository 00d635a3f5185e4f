/**
 * What travels on a channel. Everything but `messages` is optional.
 *
 * @publicApi
 */
export interface ChannelDeclaration {
  /** What subscribers receive, by type. */
  messages: object;
  /** What clients publish, by type, where it differs from what subscribers receive. @default messages */
  publishes?: object;
  /** What the `@OnSubscribe` handler returns. */
  subscribed?: unknown;
  /** The `info` of a member in the channel's presence. */
  info?: unknown;
}

/** A request's payload and the result of its handler. @publicApi */
export interface RequestDeclaration {
  request?: unknown;
  response?: unknown;
}

/** The declaration of a channel of which nothing is declared but, if anything, the data of its messages. @publicApi */
export interface UndeclaredChannel<Data = unknown> {
  messages: Record<string, Data>;
  publishes: Record<string, unknown>;
  subscribed: unknown;
  info: unknown;
}

/** Stands for "no channels declared": every name is allowed. @publicApi */
export interface AnyChannels {
  '*': UndeclaredChannel;
}

/** Stands for "no requests declared": every type is allowed. @publicApi */
export interface AnyRequests {
  '*': { request: unknown; response: unknown };
}

/**
 * `string` where nothing is declared, else nothing. `app.get(HubService)` infers `object`: nothing is declared there.
 *
 * @publicApi
 */
export type UndeclaredName<Channels> = [keyof Channels] extends [never]
  ? string
  : Channels extends AnyChannels
    ? string
    : never;

/** Names that a pattern matches, as far as a template literal type can say it. */
type Template<Pattern extends string> = Pattern extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${Template<After>}`
  : Pattern extends `${infer Before}*`
    ? `${Before}${string}`
    : Pattern;

/** Whether the server would match the name: segments are parted by `:`, and `{name}` stays inside its own. */
type Matches<Pattern extends string, Name extends string> = Pattern extends `${string}*`
  ? IsIn<Name, Template<Pattern>>
  : Pattern extends `${infer Segment}:${infer Rest}`
    ? Name extends `${infer NameSegment}:${infer NameRest}`
      ? IsIn<NameSegment, Template<Segment>> extends true
        ? Matches<Rest, NameRest>
        : false
      : false
    : Name extends `${string}:${string}`
      ? false
      : IsIn<Name, Template<Pattern>>;

type IsIn<Name extends string, Names extends string> = Name extends Names ? true : false;

type Matching<Pattern extends string, Name extends string> = Pattern extends string
  ? Matches<Pattern, Name> extends true
    ? Pattern
    : never
  : never;

/** Of patterns that all match, those that no other is a special case of. */
type MostSpecific<Pattern extends string, All extends string = Pattern> = Pattern extends string
  ? true extends IsWider<Pattern, Exclude<All, Pattern>>
    ? never
    : Pattern
  : never;

type IsWider<Pattern extends string, Other extends string> = Other extends string
  ? IsIn<Template<Other>, Template<Pattern>>
  : never;

/** The names that the declared patterns cover. @publicApi */
export type ChannelName<Channels> = Template<keyof Channels & string>;

/** The declared pattern that a name belongs to, the most specific one that matches. @publicApi */
export type PatternOf<Channels, Name extends string> = MostSpecific<Matching<keyof Channels & string, Name>>;

/**
 * What is declared of the channel with this name.
 *
 * @example
 * interface AppChannels {
 *   'room:{name}': { messages: { chat: ChatMessage; typing: { user: string } }; subscribed: RoomSnapshot };
 * }
 * type Lobby = DeclarationOf<AppChannels, 'room:lobby'>;
 *
 * @publicApi
 */
export type DeclarationOf<Channels, Name extends string> = Extract<
  Channels[PatternOf<Channels, Name> & keyof Channels],
  ChannelDeclaration
>;

/** What subscribers of a channel receive, by type: types the server's `hub.publish` as well. @publicApi */
export type MessagesOf<Channels, Name extends string> = DeclarationOf<Channels, Name>['messages'];

/** What clients publish on a channel, by type. @publicApi */
export type PublishesOf<Declaration extends ChannelDeclaration> = Declaration extends { publishes: infer P }
  ? P
  : Declaration['messages'];

/** What comes with a successful subscription. @publicApi */
export type SubscribedDataOf<Declaration extends ChannelDeclaration> = Declaration extends { subscribed: infer S }
  ? S
  : undefined;

/** The `info` of a member in the presence. @publicApi */
export type InfoOf<Declaration extends ChannelDeclaration> = Declaration extends { info: infer I } ? I : unknown;

/** The data of a request. @publicApi */
export type RequestDataOf<Declaration> = Declaration extends { request: infer Data } ? Data : undefined;

/** What a request is answered with. @publicApi */
export type ResponseOf<Declaration> = Declaration extends { response: infer Response } ? Response : unknown;
