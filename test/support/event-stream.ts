import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import type { TestFrame } from './test-client';
import { waitFor } from './wait-for';

/** One event as it stood in the stream. */
export interface StreamEvent {
  /** The id that is in force after it, as a browser keeps it. */
  readonly id: string | undefined;
  /** The event's own `id:` line. */
  readonly ownId: string | undefined;
  readonly data: string;
  readonly frame: TestFrame;
}

export interface StreamOptions {
  readonly headers?: Record<string, string>;
  /** Ends the request from outside. */
  readonly signal?: AbortSignal;
  /** Keeps sockets for further requests, as browsers do. @default none is kept */
  readonly agent?: Agent;
}

/** An answer that is no stream. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A client of Server-Sent Events over Node's HTTP, which sees every line. */
export class EventStream {
  /** Everything that was received. */
  text = '';
  readonly events: StreamEvent[] = [];
  /** Resolves when the stream has ended, however it did. */
  readonly ended: Promise<void>;
  private rest = '';
  private id: string | undefined;

  private constructor(
    private readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    this.ended = new Promise((resolve) => response.once('close', resolve));
    response.on('error', () => undefined);
    response.setEncoding('utf8').on('data', (chunk: string) => this.take(chunk));
  }

  /** @throws Error with the status, when the answer is no stream */
  static async open(url: string, options: StreamOptions = {}): Promise<EventStream> {
    const { request, response } = await begin(url, options);
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${await bodyOf(response)}`);
    return new EventStream(request, response);
  }

  get headers(): IncomingHttpHeaders {
    return this.response.headers;
  }

  get frames(): TestFrame[] {
    return this.events.map(({ frame }) => frame);
  }

  /** What a browser would send as `Last-Event-ID`. */
  get lastEventId(): string | undefined {
    return this.id;
  }

  ofType(type: string): TestFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Waits for the first event that fits. */
  event(fits: (frame: TestFrame) => boolean): Promise<StreamEvent> {
    return waitFor('an event', () => this.events.find(({ frame }) => fits(frame)));
  }

  async next(type: string): Promise<TestFrame> {
    const { frame } = await waitFor(`an event ${type}, after ${this.text}`, () => this.events.find((event) => event.frame.type === type));
    return frame;
  }

  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  /** Goes away without a word. */
  close(): void {
    this.request.destroy();
  }

  private take(chunk: string): void {
    this.text += chunk;
    const blocks = (this.rest + chunk).split('\n\n');
    this.rest = blocks.pop()!;
    for (const block of blocks) this.read(block.split('\n'));
  }

  private read(lines: string[]): void {
    const valuesOf = (field: string): string[] =>
      lines.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2));
    const [ownId] = valuesOf('id');
    if (ownId !== undefined) this.id = ownId;
    const data = valuesOf('data').join('\n');
    if (data !== '') this.events.push({ id: this.id, ownId, data, frame: JSON.parse(data) as TestFrame });
  }
}

/** Asks for something that is refused, and reads the answer. */
export async function httpAnswer(url: string, { headers = {}, method = 'GET' }: StreamOptions & { method?: string } = {}): Promise<HttpAnswer> {
  const { response } = await begin(url, { headers, method });
  const text = await bodyOf(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body: parse(text) };
}

/** What is no JSON is given as it stands. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function begin(url: string, options: RequestOptions): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent: false, ...options });
    request.once('response', (response) => resolve({ request, response }));
    request.on('error', reject);
    request.end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  return text;
}
