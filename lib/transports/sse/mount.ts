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

/** Serves streams at their path: a route of the HTTP adapter, since the path is known only when the application starts. */
export function mountEventStreams(http: HttpServer, gateway: SseGateway): void {
  if (http.getType?.() === 'fastify') {
    http.get(gateway.path, (request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      // What the application's hooks have set, its CORS among them.
      for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
      return gateway.serve(request.raw, reply.raw);
    });
    return;
  }
  http.get(gateway.path.replace(EXPRESS_SPECIAL, '\\$&'), (request: IncomingMessage, response: ServerResponse) => {
    void gateway.serve(request, response);
  });
}
