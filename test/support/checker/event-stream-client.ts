import { get, type IncomingMessage } from 'node:http';
import type { TestFrame } from '../test-client';
import type { ClientRecorder } from './client-recorder';
import type { Random } from './random';
import type { RecordedClient } from './socket-client';

const PATIENCE = 8000;

/** A client of Server-Sent Events as a browser has it: it knows the id of the last event, and sends it when it comes back. */
export class EventStreamClient implements RecordedClient {
  private lastEventId: string | undefined;
  private connection = 0;
  private joined = new Set<string>();
  private abort = new AbortController();
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param ports of the servers, one of which is taken at each connection */
  constructor(
    readonly recorder: ClientRecorder,
    private readonly ports: readonly number[],
    private readonly random: Random,
  ) {
    this.connect();
  }

  cut(): void {
    this.abort.abort();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.cut();
  }

  private connect(): void {
    const connection = ++this.connection;
    const abort = new AbortController();
    this.abort = abort;
    this.joined = new Set();
    const query = this.recorder.channels.map((channel) => `channel=${channel}`).join('&');
    const url = `http://127.0.0.1:${this.random.pick(this.ports)}/ws/events?${query}`;
    const headers = this.lastEventId === undefined ? {} : { 'Last-Event-ID': this.lastEventId };
    const impatience = setTimeout(() => this.joined.size === this.recorder.channels.length || abort.abort(), PATIENCE);
    let over = false;
    const again = (): void => {
      clearTimeout(impatience);
      if (over || this.stopped) return;
      over = true;
      this.timer = setTimeout(() => this.connect(), this.random.between(20, 250));
    };
    const request = get(url, { headers, agent: false, signal: abort.signal }, (response) => {
      response.on('error', () => undefined);
      response.on('close', again);
      if (response.statusCode === 200) this.read(response, connection, abort.signal);
      else response.resume();
    });
    request.on('error', again);
  }

  private read(response: IncomingMessage, connection: number, signal: AbortSignal): void {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const events = (text + chunk).split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        if (!signal.aborted) this.receive(event, connection);
      }
    });
  }

  private receive(event: string, connection: number): void {
    const lines = event.split('\n');
    const data = valuesOf(lines, 'data');
    if (data.length === 0) return;
    this.lastEventId = valuesOf(lines, 'id').at(-1) ?? this.lastEventId;
    const frame = JSON.parse(data.join('\n')) as TestFrame;
    this.recorder.read(frame, connection);
    if (frame.type === 'subscribed') this.joined.add(frame.channel!);
  }
}

function valuesOf(lines: readonly string[], field: string): string[] {
  return lines.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2));
}
