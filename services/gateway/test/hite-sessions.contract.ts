import { randomBytes } from 'node:crypto';
import {
  answerHandshake,
  deriveHiteSession,
  type HiteSession,
  REPLAY_WINDOW,
  ReplayWindow,
} from '@zeq/crypto';
import fc from 'fast-check';
import type { HiteSessions } from '../src/hite/sessions.ts';

export const SECRET = randomBytes(32).toString('hex');

export const newSession = (nowMs = Date.now()): Promise<HiteSession> =>
  deriveHiteSession(SECRET, answerHandshake(randomBytes(32).toString('hex'), nowMs));

/** What every store of sessions keeps to. @param open A store with room for `max` sessions. */
export function hiteSessionsContract(name: string, open: (max?: number) => HiteSessions): void {
  describe(name, () => {
    it('gives back what was added, with the keys it had', async () => {
      const sessions = open();
      const session = await newSession();
      await sessions.add(session);

      const found = await sessions.find(session.id);

      expect(found?.requestKey.equals(session.requestKey)).toBe(true);
      expect(found?.responseKey.equals(session.responseKey)).toBe(true);
      expect([found?.id, found?.expiresAtMs]).toEqual([session.id, session.expiresAtMs]);
    });

    it('knows no other session', async () => {
      const sessions = open();
      const id = randomBytes(16).toString('hex');

      expect([await sessions.find(id), await sessions.take(id, 0)]).toEqual([undefined, 'unknown']);
    });

    it('takes a counter once, of however many that come at the same time', async () => {
      const sessions = open();
      const { id } = await addOne(sessions);

      const taken = await Promise.all(Array.from({ length: 20 }, () => sessions.take(id, 7)));

      expect(taken.filter((verdict) => verdict === 'accepted')).toHaveLength(1);
    });

    it('decides as ReplayWindow does, for any sequence of counters', async () => {
      const sessions = open();
      const near = fc.nat({ max: 3 * REPLAY_WINDOW });
      const far = fc.nat({ max: 2 ** 32 - 1 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof({ weight: 20, arbitrary: near }, far), { maxLength: 40 }),
          async (counters) => {
            const { id } = await addOne(sessions);
            const window = new ReplayWindow();
            for (const counter of counters)
              expect(await sessions.take(id, counter)).toBe(window.accept(counter) ? 'accepted' : 'replayed');
          },
        ),
        { numRuns: 25 },
      );
    });

    it('keeps the windows of sessions apart', async () => {
      const sessions = open();
      const [one, other] = [await addOne(sessions), await addOne(sessions)];

      expect([await sessions.take(one.id, 5), await sessions.take(other.id, 5)]).toEqual([
        'accepted',
        'accepted',
      ]);
    });

    it('lets the oldest session that carried nothing give way when it is full, and refuses when there is none', async () => {
      const sessions = open(3);
      const [used, oldest, newest] = [await addOne(sessions), await addOne(sessions), await addOne(sessions)];
      await sessions.take(used.id, 0);

      const fourth = await addOne(sessions);

      expect(await sessions.take(oldest.id, 0)).toBe('unknown');
      for (const { id } of [newest, fourth]) expect(await sessions.take(id, 0)).toBe('accepted');
      await expect(addOne(sessions)).rejects.toMatchObject({ code: 'overloaded' });
      expect(await sessions.take(used.id, 1)).toBe('accepted');
    });
  });
}

async function addOne(sessions: HiteSessions): Promise<HiteSession> {
  const session = await newSession();
  await sessions.add(session);
  return session;
}
