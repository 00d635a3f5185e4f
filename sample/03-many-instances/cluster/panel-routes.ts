import type { IncomingMessage } from 'node:http';
import type { OwnRoute } from './balancer';
import type { Instances } from './instances';

const KILL = /^\/cluster\/instances\/(\d+)\/kill$/;

/** What the panel on the page asks for: who is where, and an instance's end. Only a sample has such a button. */
export function panelRoutes(instances: Instances): OwnRoute {
  return (request, response) => {
    const { method, url = '' } = request;
    if (method === 'GET' && url === '/cluster/instances') {
      const list = instances.all.map(({ id, pid, state, visitors }) => ({ id, pid, state, visitors }));
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(list));
      return true;
    }
    const id = method === 'POST' ? KILL.exec(url)?.[1] : undefined;
    if (id === undefined) return false;
    const instance = isForeign(request) ? undefined : instances.find(Number(id));
    instance?.kill();
    response.writeHead(instance ? 202 : 404).end();
    return true;
  };
}

/** Another site's page may not press the button. */
function isForeign({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && !origin.endsWith(`//${host}`);
}
