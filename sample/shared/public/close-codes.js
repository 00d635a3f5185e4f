const TOO_BIG = 1009;
const GOING_AWAY = 1001;

/** Why the server does not want this client back by itself (PROTOCOL.md, "Heartbeat and close codes"). */
const REASONS = {
  1009: 'a message was too big for the server',
  4501: 'you are not signed in',
  4503: 'the server ended the connection',
  4504: 'there are too many connections',
  4509: 'you opened it somewhere else',
};

/** Whether a client must not come back by itself. */
export function isFinal(code) {
  return code === 1000 || code === TOO_BIG || (code >= 4500 && code <= 4999);
}

export function isGoingAway(code) {
  return code === GOING_AWAY;
}

export function explain(code, reason) {
  return REASONS[code] ?? (reason || 'the server ended the connection');
}
