/** What the samples take from the environment. */
export class Environment {
  /** `PORT`; 0 is any free port. @default 3000 */
  readonly port: number;
  /** `HOST`: the address to listen on. @default every address */
  readonly host: string | undefined;
  /** `REDIS_URL`; undefined when it is empty or absent. */
  readonly redisUrl: string | undefined;

  /** @throws Error for a `PORT` that is none */
  constructor(variables: NodeJS.ProcessEnv) {
    this.port = readPort(variables.PORT);
    this.host = variables.HOST?.trim() || undefined;
    this.redisUrl = variables.REDIS_URL?.trim() || undefined;
  }
}

const DEFAULT_PORT = 3000;

function readPort(value: string | undefined): number {
  if (value === undefined || value.trim() === '') return DEFAULT_PORT;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT is ${JSON.stringify(value)}: it must be a whole number from 0 (any free port) to 65535.`);
}
