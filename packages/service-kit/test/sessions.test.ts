import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { EndedSessions, looksLikeSession, Sessions } from '../src/index.ts';

const SECRET = 's'.repeat(40);
const OLD = 'o'.repeat(40);
const KEY_ID = `key_${'k'.repeat(22)}`;
const T0 = 1_800_000_000;

/** Sessions by a clock that the test moves. */
function at(seconds: () => number, previous?: string): Sessions {
  return new Sessions(SECRET, previous, seconds);
}

describe('Sessions', () => {
  let now: number;
  let sessions: Sessions;
  beforeEach(() => {
    now = T0;
    sessions = at(() => now);
  });

  it('issues a token of 15 minutes that names the key and nothing else of it', () => {
    const { token, expiresAt } = sessions.issue(KEY_ID);

    expect(expiresAt).toEqual(new Date((T0 + 900) * 1000));
    expect(jwt.decode(token)).toEqual({
      iss: 'zeq-gateway',
      aud: 'zeq-session',
      sub: KEY_ID,
      iat: T0,
      exp: T0 + 900,
      auth_time: T0,
      sid: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(sessions.verify(token)).toEqual({
      sid: expect.any(String),
      keyId: KEY_ID,
      authTime: T0,
      expiresAt: T0 + 900,
    });
  });

  it.each([
    [929, 'good'],
    [931, 'expired'],
  ])('allows 30 s of skew and no more: after %i s it is %s, remembered or not', (passed, wanted) => {
    const { token } = sessions.issue(KEY_ID);
    sessions.verify(token);
    now += passed;

    const verdict = (held: Sessions) =>
      typeof held.verify(token) === 'object' ? 'good' : held.verify(token);

    expect([verdict(sessions), verdict(at(() => now))]).toEqual([wanted, wanted]);
  });

  it('accepts the previous secret while it is being changed, and signs with the new one', () => {
    const old = new Sessions(OLD, undefined, () => now).issue(KEY_ID).token;
    const changing = at(() => now, OLD);

    expect(changing.verify(old)).toMatchObject({ keyId: KEY_ID });
    expect(sessions.verify(old)).toBeUndefined();
    expect(sessions.verify(changing.issue(KEY_ID).token)).toMatchObject({ keyId: KEY_ID });
  });

  it('lets a session be renewed for twelve hours after the key was shown', () => {
    const session = verified(sessions.issue(KEY_ID).token);
    now += 12 * 3600 - 1;

    const before = sessions.isRenewable(session);
    now += 1;

    expect([before, sessions.isRenewable(session)]).toEqual([true, false]);
  });

  it('ends with every renewal when somebody signs out of one, and no other session does', () => {
    const first = sessions.issue(KEY_ID).token;
    const renewed = sessions.issue(KEY_ID, verified(first)).token;
    const other = sessions.issue(KEY_ID).token;

    sessions.end(verified(renewed));

    expect([first, renewed].map((token) => sessions.verify(token))).toEqual(['expired', 'expired']);
    expect(sessions.verify(other)).toMatchObject({ keyId: KEY_ID });
  });

  it('remembers an ended session for as long as its tokens would live, and no longer', () => {
    const ended = new EndedSessions();
    const listed = new Sessions(SECRET, undefined, () => now, ended);
    const session = listed.verify(listed.issue(KEY_ID).token);
    if (typeof session !== 'object') throw new Error('not verified');
    listed.end(session);

    ended.prune(T0 + 929);
    const during = ended.has(session.sid);
    ended.prune(T0 + 931);

    expect([during, ended.has(session.sid)]).toEqual([true, false]);
  });

  function verified(token: string) {
    const session = sessions.verify(token);
    if (typeof session !== 'object') throw new Error('not verified');
    return session;
  }

  const good = {
    iss: 'zeq-gateway',
    aud: 'zeq-session',
    sub: KEY_ID,
    iat: T0,
    exp: T0 + 900,
    auth_time: T0,
    sid: 's'.repeat(22),
  };
  const sign = (claims: object, options: jwt.SignOptions = {}, secret = SECRET) =>
    jwt.sign(claims, createSecretKey(Buffer.from(secret)), { algorithm: 'HS256', ...options });
  const { exp: _exp, ...endless } = good;
  it.each([
    ['another secret', sign(good, {}, OLD)],
    ['no signature', `${sign(good).split('.').slice(0, 2).join('.')}.`],
    ['alg none', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${sign(good).split('.')[1]}.`],
    ['HS512', sign(good, { algorithm: 'HS512' })],
    ['no end', sign(endless)],
    ['a beginning in the future', sign({ ...good, iat: T0 + 31, exp: T0 + 931 })],
    ['nbf in the future', sign({ ...good, nbf: T0 + 31 })],
    ['another audience', sign({ ...good, aud: 'forwarder' })],
    ['a list of audiences', sign({ ...good, aud: ['zeq-session', 'x'] })],
    ['another issuer', sign({ ...good, iss: 'gateway' })],
    ['a key id with a path in it', sign({ ...good, sub: '../../etc/passwd' })],
    ['no key id', sign({ ...good, sub: undefined })],
    ['no session id', sign({ ...good, sid: undefined })],
    ['a megabyte', `${sign(good)}${'a'.repeat(1024 * 1024)}`],
    ['nonsense', 'a.b.c'],
  ])('refuses a token with %s', (_what, token) => {
    expect(sessions.verify(token)).toBeUndefined();
  });
});

describe('looksLikeSession', () => {
  it.each([
    ['a.b.c', true],
    ['zsm_abc', false],
    ['a.b', false],
    ['a.b.c.d', false],
    ['a.b .c', false],
  ])('%s: %s', (text, wanted) => {
    expect(looksLikeSession(text)).toBe(wanted);
  });
});
