/** Who is connected to an instance. */
export interface Visitor {
  readonly connectionId: string;
  readonly name: string;
}

/** What an instance tells the process that started it. */
export type InstanceMessage = { readonly kind: 'listening'; readonly port: number } | { readonly kind: 'visitors'; readonly visitors: Visitor[] };
