import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import type { Experiment, Stage } from '../src/experiment.ts';
import { p99OfForwards } from '../src/judge/calls.ts';
import { type Call, makeCall } from '../src/load/call.ts';

/** What a name may take altogether (ms), and what a busy machine adds to it. */
const BUDGET_MS = 4_000;
const MORE_MS = 1_000;
/** More than libuv has threads for names. */
const AT_ONCE = 10;
/** The event loop goes on, and what waits for files or keys. */
const OTHERS_MS = 100;
const NAME = 'upstream.faults.example';

export const namesFail: Experiment = {
  name: 'F18',
  injects: 'NXDOMAIN, SERVFAIL, a silent name server, answers that flap, no name server at all',
  passes:
    '502 or 504 inside the budget, at most two queries per call; calls by address and the event loop go on',
  async run(stage) {
    const { dns, tenant, upstream, verdict, pick } = stage;
    await tenant.register({
      name: 'named',
      base_url: `http://${NAME}:${upstream.port}`,
      policy: { circuit_failures: 0 },
    });
    const good = { addresses: ['127.0.0.1'], ttl: 0 };
    const times = pick(4, 50);
    const begun = performance.now();
    dns.always(good);
    await judge(stage, 'a name that is good', times, ['ok ']);
    dns.answer = () => undefined;
    await judge(stage, 'NXDOMAIN', times, ['refused dns_failed']);
    dns.always({ rcode: 2 });
    await judge(stage, 'SERVFAIL', times, ['refused dns_failed']);
    dns.always({ silent: true });
    await judge(stage, 'silence', pick(2, 20), ['refused dns_timeout']);
    dns.answer = (_name, asked) => (asked % 2 === 0 ? good : undefined);
    await judge(stage, 'flapping answers', times, ['ok ', 'refused dns_failed']);
    dns.always({ ...good, ttl: 60 });
    await judge(stage, 'a good answer', 1, ['ok ']);
    dns.always({ silent: true });
    await judge(stage, 'silence after a good answer', pick(2, 20), ['ok ']); // kept for its TTL, 5 s at most
    await sleep(5_500); // nothing is kept any more
    await dns.close();
    await judge(stage, 'no name server', times, ['refused dns_failed', 'refused dns_timeout']);
    await sleep(500);
    const p99 = p99OfForwards(stage.load.calls, begun, performance.now());
    verdict.within('calls by address are not held up by names: their p99 is', [p99], OTHERS_MS);
    return { faults: [] };
  },
};

async function judge(stage: Stage, what: string, times: number, expected: readonly string[]): Promise<void> {
  const { dns, verdict } = stage;
  const before = dns.queries.length;
  const calls: Call[] = [];
  while (calls.length < times) {
    const wave = Math.min(AT_ONCE, times - calls.length);
    calls.push(...(await Promise.all(Array.from({ length: wave }, () => callByName(stage)))));
  }
  const others = calls.filter(({ outcome, detail }) => !expected.includes(`${outcome} ${detail}`));
  verdict.none(
    `${what}: other outcomes than ${expected.join(' or ')}`,
    others.map(({ outcome, detail }) => `${outcome} ${detail}`),
  );
  verdict.within(
    `${what}: answered`,
    calls.map(({ startedAt, endedAt }) => endedAt - startedAt),
    BUDGET_MS + MORE_MS,
  );
  const queries = (dns.queries.length - before) / times;
  verdict.that(`${what}: at most two queries per call`, queries <= 2, queries);
}

async function callByName({ tenant }: Stage): Promise<Call> {
  const agent = new Agent();
  const call = await makeCall(agent, 'named', 'named', {
    method: 'GET',
    url: `${tenant.forward.replace('/steady/', '/named/')}/hello`,
    headers: tenant.headers,
  });
  await agent.destroy();
  return call;
}
