// INTERIM: to be replaced by the real one.
import type { AdapterFactory } from '../adapter-factory';
import type { AdapterReceiver, HubAdapter, PresenceMember, StoredPublication } from '../hub-adapter';
export function memoryAdapter(): AdapterFactory {
  return {
    create: (): HubAdapter => {
      let receiver: AdapterReceiver;
      const hist = new Map<string, StoredPublication[]>();
      const members = new Map<string, Map<string, PresenceMember>>();
      const keys = new Map<string, object>();
      const pos = (c: string) => hist.get(c)?.at(-1)?.position ?? { epoch: 'e', offset: 0, tag: '' };
      return {
        name: 'interim',
        start: async (r) => void (receiver = r),
        stop: async () => {},
        subscribe: async () => {},
        unsubscribe: () => {},
        publish: async () => 'cluster',
        append: async ({ channel, payload, exclude }) => {
          const list = hist.get(channel) ?? [];
          hist.set(channel, list);
          const position = { epoch: 'e', offset: pos(channel).offset + 1, tag: 't' };
          list.push({ payload, position });
          receiver.onPublication(channel, payload, position, exclude);
          return { position };
        },
        broadcast: async () => 'cluster',
        control: async () => 'cluster',
        read: async (c, { after, last }) => {
          const list = hist.get(c) ?? [];
          const publications = after ? list.filter((p) => p.position.offset > after.offset) : last ? list.slice(-last) : [];
          return { recovered: true, publications, position: pos(c) };
        },
        history: async (c) => ({ publications: hist.get(c) ?? [], position: pos(c), complete: true }),
        clearHistory: async (c) => void hist.delete(c),
        claim: async (k) => { const v = keys.get(k); if (!v) keys.set(k, {}); return v; },
        remember: async (k, r) => void keys.set(k, r),
        release: async (k) => void keys.delete(k),
        addMember: async (c, m) => { const x = members.get(c) ?? new Map(); members.set(c, x); const n = !x.has(m.connectionId); x.set(m.connectionId, m); return n; },
        removeMember: async (c, id) => members.get(c)?.delete(id) ?? false,
        members: async (c) => [...(members.get(c)?.values() ?? [])],
      };
    },
  };
}
