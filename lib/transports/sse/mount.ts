import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import type { SseGateway } from './sse-gateway';

/** The part of Fastify's request and reply that is used. */
interface FastifyRequest {
  readonly raw: IncomingMessage;
}
interface FastifyReply {
  readonly raw: ServerResponse;
  getHeaders(): OutgoingHttpHeaders;
  hijack(): unknown;
}

/** What Express's paths have a meaning of their own for. */
const EXPRESS_SPECIAL = /[()[\]{}+!\\]/g;
const SLASHES_AROUND = /^\/|\/$/g;

/**
 * Serves streams at their path, beside the WebSocket's, and where a controller of that path would be: below the global
 * prefix. Each is a route of the HTTP adapter, since the path is known only when the application starts.
 *
 * @param globalPrefix as it was given to `app.setGlobalPrefix`; empty without
 */
export function mountEventStreams(http: HttpServer, gateway: SseGateway, globalPrefix = ''): void {
  const prefix = globalPrefix.replace(SLASHES_AROUND, '');
  const paths = prefix === '' ? [gateway.path] : [gateway.path, `/${prefix}${gateway.path}`];
  const mount = http.getType?.() === 'fastify' ? mountOnFastify : mountOnExpress;
  for (const path of paths) mount(http, gateway, path);
}

function mountOnFastify(http: HttpServer, gateway: SseGateway, path: string): void {
  http.get(path, (request: FastifyRequest, reply: FastifyReply) => {
    reply.hijack();
    // What the application's hooks have set, its CORS among them.
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
    return gateway.serve(request.raw, reply.raw);
  });
}

function mountOnExpress(http: HttpServer, gateway: SseGateway, path: string): void {
  http.get(path.replace(EXPRESS_SPECIAL, '\\$&'), (request: IncomingMessage, response: ServerResponse) => {
    void gateway.serve(request, response);
  });
}
