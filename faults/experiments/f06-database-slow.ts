import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import type { Experiment, Stage } from '../src/experiment.ts';
import { p99OfForwards } from '../src/judge/calls.ts';
import { type Call, makeCall } from '../src/load/call.ts';

/** In each direction, so a question takes twice as long. */
const DELAY_MS = { short: 250, whole: 1_000 };
const WANTED_AT_ONCE = 200;
/** The vault's connections: so many writes are on their way. They wait for each other, because they count writes of one tenant. */
const POOL_SIZE = 10;
/** The vault gives a wait for a row up after this long. */
const LOCK_MS = 3_000;
/** Leased calls need no database: theirs is the time of a busy machine. */
const FORWARD_MS = 250;
/** Round trips of one write, with what is asked before and undone after it. */
const QUESTIONS = 8;

export const databaseSlow: Experiment = {
  name: 'F6',
  injects: 'PostgreSQL 2 s slow, 200 writes at once, its backends terminated, a table locked',
  passes:
    'what cannot be served is refused within 1 s, behind a slow database and behind a lock; leased calls do not notice',
  needsPostgres: true,
  slowDatabase: true,
  async run(stage) {
    const { databaseProxy, postgres, verdict, pick, load } = stage;
    const { toxins } = databaseProxy!;
    const slowFrom = performance.now();
    toxins.delayMs = pick(DELAY_MS.short, DELAY_MS.whole);
    await sleep(500);
    await judgeCrowd(stage, 'a slow database', LOCK_MS + QUESTIONS * 2 * toxins.delayMs);
    await sleep(pick(1_000, 8_000));
    toxins.delayMs = 0;
    for (let i = 0; i < pick(2, 20); i += 1) {
      await postgres!.server.run(TERMINATE, [postgres!.database]);
      await sleep(300);
    }
    const locked = lockTable(stage, pick(4_500, 10_000));
    await sleep(200);
    await judgeCrowd(stage, 'a locked table', 2 * LOCK_MS + 1_000); // the tenant's row, then the table
    await locked;
    await sleep(1_000);
    const p99 = p99OfForwards(load.calls, slowFrom, performance.now());
    verdict.within('forwards do not notice: their p99 is', [p99], FORWARD_MS);
    return {
      faults: [],
      mayRefuse: ({ kind, detail }) =>
        ['register', 'admin'].includes(kind) &&
        ['database_unavailable', 'vault_unavailable'].includes(detail),
    };
  },
};

/** @param lastMs What one may take that got a connection. */
async function judgeCrowd(stage: Stage, what: string, lastMs: number): Promise<void> {
  const { verdict, pick } = stage;
  const writes = await registerAtOnce(stage, pick(60, WANTED_AT_ONCE));
  const refused = writes.filter(({ outcome }) => outcome === 'refused');
  const times = refused.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((a, b) => a - b);
  verdict.none(
    `${what}: writes that were neither done nor refused`,
    writes.filter(({ outcome }) => !['ok', 'refused'].includes(outcome)),
  );
  verdict.within(
    `${what}: a write that no connection is free for is refused`,
    times.slice(0, -POOL_SIZE),
    1_000,
  );
  verdict.within(`${what}: one that has a connection ends`, times, lastMs);
}

const TERMINATE = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1';

async function registerAtOnce({ tenant }: Stage, count: number): Promise<Call[]> {
  const agent = new Agent({ connections: count });
  const made = Array.from({ length: count }, (_, i) => {
    const { registration, acknowledged } = tenant.nextRegistration();
    return makeCall(agent, 'register', `at-once-${i}`, { ...registration, judge: acknowledged });
  });
  const calls = await Promise.all(made);
  await agent.destroy();
  return calls;
}

/** Holds the table of credentials, so that statements run into their time limit. */
async function lockTable({ postgres }: Stage, forMs: number): Promise<void> {
  const { server, database } = postgres!;
  const sql = `BEGIN; LOCK TABLE user_external_apis IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${forMs / 1_000}); COMMIT`;
  await server.run(sql, undefined, database);
}
