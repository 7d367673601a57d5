import { setTimeout as sleep } from 'node:timers/promises';
import { buildLogger, EndedSessions, openRedis, type RedisLink } from '@zeq/service-kit';
import { shareEndedSessions } from '../src/callers/share-ended-sessions.ts';

const url = process.env.TEST_REDIS_URL ?? '';
if (url === '') throw new Error('TEST_REDIS_URL is not set');

const log = buildLogger('test', 'silent');

interface Replica {
  ended: EndedSessions;
  link: RedisLink;
  stop: () => Promise<void>;
}

async function openReplica(): Promise<Replica> {
  const link = openRedis(url, log);
  while (!link.isUp) await sleep(20);
  const ended = new EndedSessions();
  return { ended, link, ...shareEndedSessions(ended, link, log) };
}

/** Waits until a replica knows it. The test's own time limit is the end of patience. */
async function untilKnown({ ended }: Replica, sid: string): Promise<void> {
  while (!ended.has(sid)) await sleep(20);
}

describe('gateways that share ended sessions', () => {
  const replicas: Replica[] = [];
  const inAnHour = () => Math.floor(Date.now() / 1000) + 3_600;
  let serial = 0;
  const newSid = () => `sid-${++serial}-${Date.now()}`;

  beforeAll(async () => replicas.push(await openReplica(), await openReplica()));
  afterAll(async () => {
    for (const { stop, link } of replicas) {
      await stop();
      await link.close();
    }
  });

  it('hear at each of them what ended at another', async () => {
    const [a, b] = replicas as [Replica, Replica];
    const [atA, atB] = [newSid(), newSid()];
    a.ended.end(atA, inAnHour());
    b.ended.end(atB, inAnHour());

    await Promise.all([untilKnown(b, atA), untilKnown(a, atB)]);

    expect([a.ended.has(newSid()), b.ended.has(newSid())]).toEqual([false, false]);
  });

  it('tell a replica that starts later', async () => {
    const sid = newSid();
    replicas[0]!.ended.end(sid, inAnHour());
    await untilKnown(replicas[1]!, sid);

    const late = await openReplica();
    replicas.push(late);
    await untilKnown(late, sid);

    expect(late.ended.has(sid)).toBe(true);
  });
});
