/** @publicApi */
export interface RedisNodeAddress {
  readonly host: string;
  readonly port: number;
}
