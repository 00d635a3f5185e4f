import type { CloseCode } from '../protocol/close-codes';
import type { Link, LinkHandlers, LinkRequest, Transport, WebSocketLike } from './transport';

const OPEN = 1;
const NO_PONG: typeof CloseCode.NoPong = 4001;

/** WebSocket, both ways. */
export const webSocketTransport: Transport = { name: 'websocket', open };

function open(request: LinkRequest, handlers: LinkHandlers): Link {
  const socket = connect(request);
  let status: number | undefined;
  socket.onopen = () => handlers.open();
  socket.onmessage = ({ data }: { data: unknown }) => handlers.frame(request.codec.decode(data));
  socket.onerror = ({ message }: { message?: unknown }) => {
    // The ws package names the status of a refused handshake at the end of its error's text; browsers hide it.
    status = Number(/response: (\d{3})$/.exec(String(message))?.[1]) || undefined;
  };
  socket.onclose = ({ code, reason }: { code: number; reason: string }) => handlers.close({ code, reason, status });
  return {
    send(text) {
      const isOpen = socket.readyState === OPEN;
      if (isOpen) socket.send(text);
      return isOpen;
    },
    close: (abruptly) => close(socket, abruptly),
  };
}

function connect({ url, token, tokenTransport, WebSocket }: LinkRequest): WebSocketLike {
  const Class = WebSocket!;
  const protocols = ['realtime.v1'];
  if (token === undefined) return new Class(url, protocols);

  // Only the class of the ws package is known to take headers; a method tells it that no platform's class has.
  const takesHeaders = 'terminate' in (Class.prototype as object);
  const way = tokenTransport ?? (takesHeaders ? 'header' : 'subprotocol');
  if (way === 'header') return new Class(url, protocols, { headers: { Authorization: `Bearer ${token}` } });
  if (way === 'query') return new Class(withQueryToken(url, token), protocols);
  return new Class(url, [...protocols, `bearer.${base64url(token)}`]);
}

/** The URL with the token in its query. */
export function withQueryToken(url: string, token: string): string {
  const address = new URL(url);
  address.searchParams.set('token', token);
  return address.href;
}

function base64url(text: string): string {
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return base64.replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
}

function close(socket: WebSocketLike, abruptly: boolean): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  // Not null: the ws package raises an error when a connection attempt is given up, and Node ends a process over an
  // error that nobody listens to.
  socket.onerror = () => undefined;
  if (abruptly && socket.terminate) socket.terminate();
  // To the server, 1000 would mean that we do not come back, and our members' `leave` is told at once.
  else socket.close(abruptly ? NO_PONG : 1000);
}
