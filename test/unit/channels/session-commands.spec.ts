import { SessionCommands } from '../../../lib/channels/session-commands';
import type { TokenRefresher } from '../../../lib/channels/token-refresher';
import type { ConnectedUser } from '../../../lib/protocol/connected-user';
import { deferred } from '../../support/wait-for';
import { connect, startHub } from '../hub/hub-kit';

const HOUR = 3_600_000;

describe('SessionCommands', () => {
  it('does not watch the token of a connection that ended while it was verified', async () => {
    const hub = await startHub();
    const alice = connect(hub, { user: { id: 'alice', claims: {} } });
    const verified = deferred<ConnectedUser | undefined>();
    const tokens: TokenRefresher = { verify: () => verified.promise };
    const watch = jest.spyOn(hub.expiry, 'watch');

    const refreshed = new SessionCommands(hub, tokens).refresh(alice, { type: 'refresh', id: 1, data: 'next' });
    alice.close(1000);
    verified.resolve({ id: 'alice', claims: {}, expiresAt: Date.now() + HOUR });
    await refreshed;

    expect(watch).not.toHaveBeenCalled();
    expect(alice.user).not.toHaveProperty('expiresAt');
  });

  it('says that it cannot tell when the token is not judged in time', async () => {
    const hub = await startHub({ limits: { handshakeTimeout: 20 } });
    const alice = connect(hub, { user: { id: 'alice', claims: {} } });
    const tokens: TokenRefresher = { verify: () => new Promise(() => undefined) };
    const refreshed = new SessionCommands(hub, tokens).refresh(alice, { type: 'refresh', id: 1, data: 'next' });
    await expect(refreshed).rejects.toMatchObject({ code: 'unavailable' });
    expect(alice.open).toBe(true);
  });
});
