import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { until } from '../../e2e/src/until.ts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { type Ask, type Call, makeCall } from '../src/load/call.ts';

/** Calls a minute from one address, and to the API. */
const ADDRESS_LIMIT = 60;
const API_LIMIT = { short: 100, whole: 1_000 };
const READY_MS = 10_000;
/** Before the first minute is over, in which the limits hold. */
const ALL_ANSWERED_MS = 20_000;
/** Each client has a connection of its own. */
const CLIENTS = { short: 100, whole: 10_000 };
/** 127.0.1.1 and on: together they may call far more often than the API may be called. */
const ADDRESSES = { short: 2, whole: 100 };
/** Where nobody listens a client tries again sooner than after an answer that it does not like (ms). */
const PAUSE_MS = { away: 500, answered: 3_000 };
/** Ten thousand callers on the processors of what they call wait for each other, too. */
const WAIT_MS = 60_000;

export const coldStart: Experiment = {
  name: 'F25',
  injects: 'everything started at once, with clients that are connecting already',
  passes: 'ready within 10 s of the databases; nothing crashes; limits hold from the first request',
  keepsBytes: 200 * 2 ** 20, // a connection takes the gateway 20 KiB (bench/pressure.ts), and V8 keeps the pages
  rates: {
    forwardsPerSecond: 0,
    registrationsPerSecond: 0,
    adminReadsPerSecond: 0,
    tickReaders: 0,
    sockets: 0,
  },
  async run(stage) {
    const { mesh, tenant, verdict, pick } = stage;
    const apiLimit = pick(API_LIMIT.short, API_LIMIT.whole);
    const { forward } = await tenant.register({ name: 'limited', rate_limit_per_min: apiLimit });
    await mesh.stop();
    const addresses = Array.from(
      { length: pick(ADDRESSES.short, ADDRESSES.whole) },
      (_, i) => new Clients(`127.0.1.${i + 1}`, forward, tenant.headers),
    );
    const clients = pick(CLIENTS.short, CLIENTS.whole);
    for (const address of addresses) address.start(clients / addresses.length);
    await sleep(500);
    const begun = performance.now();
    await mesh.startAll({ RATE_LIMIT_RPM: String(ADDRESS_LIMIT) });
    verdict.within('all are ready', [performance.now() - begun], READY_MS);
    await sleep(pick(3_500, 15_000));
    const answered = () => addresses.reduce((sum, address) => sum + address.answered, 0);
    await until(() => answered() === clients, ALL_ANSWERED_MS).catch(() => undefined); // judged below, either way
    await Promise.all(addresses.map((address) => address.stop()));
    judgeLimits(stage, addresses, apiLimit);
    judgeAnswers(stage, addresses, clients);
    return { faults: [] };
  },
};

function judgeLimits({ verdict, whole }: Stage, addresses: readonly Clients[], apiLimit: number): void {
  const passed = addresses.map(({ calls }) => calls.filter(({ outcome }) => outcome === 'ok').length);
  const most = Math.max(...passed);
  const all = passed.reduce((sum, count) => sum + count, 0);
  verdict.that(`at most ${ADDRESS_LIMIT} calls a minute pass from one address`, most <= ADDRESS_LIMIT, most);
  // a call that was counted may still meet a part that is only starting, and is then refused
  const isHeld = all <= apiLimit && all >= (whole ? 0.9 * apiLimit : 1);
  verdict.that(`${apiLimit} calls a minute reach the API, and no more`, isHeld, all);
}

function judgeAnswers({ verdict, say, whole }: Stage, addresses: readonly Clients[], clients: number): void {
  const calls = addresses.flatMap((address) => address.calls);
  const answered = addresses.reduce((sum, address) => sum + address.answered, 0);
  const counts = new Map<string, number>();
  for (const { outcome, detail } of calls) {
    const name = `${outcome} ${detail}`.trim();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  say(`  ${[...counts].map(([name, count]) => `${count} × ${name}`).join(', ')}`);
  verdict.that('every client has had an answer', answered === clients, `${answered} of ${clients}`);
  const limited = calls.filter(({ detail }) => detail === 'rate_limited').length;
  // two hundred clients may all have had another answer before the limit is passed
  verdict.that('who is over the limit is told so', limited > 0 || !whole, limited);
  const odd = calls.filter(
    ({ outcome, detail }) => outcome === 'wrong' || (outcome === 'refused' && !KNOWN.includes(detail)),
  );
  verdict.none(
    'answers that nobody expects',
    odd.map(({ outcome, detail }) => `${outcome} ${detail}`),
  );
}

/** What is too much, and while the parts come up one may be missing to the other. */
const KNOWN = [
  'rate_limited',
  'concurrency_limited',
  'service_unavailable',
  'vault_unavailable',
  'database_unavailable',
  'overloaded',
];

/** Clients of one address that try again and again, whatever they are told. */
class Clients {
  readonly calls: Call[] = [];
  /** Clients that were answered at least once. */
  answered = 0;
  readonly #agent: Agent;
  readonly #ask: Ask;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(address: string, forward: string, headers: Record<string, string>) {
    this.#agent = new Agent({
      localAddress: address,
      headersTimeout: WAIT_MS,
      connectTimeout: WAIT_MS,
    });
    this.#ask = { method: 'GET', url: `${forward}/hello`, headers };
  }

  start(count: number): void {
    this.#running = Promise.all(Array.from({ length: count }, () => this.#work()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#agent.destroy();
  }

  async #work(): Promise<void> {
    let isAnswered = false;
    while (!this.#stopped) {
      const call = await makeCall(this.#agent, 'client', 'client', this.#ask);
      this.calls.push(call);
      if (!isAnswered && !['away', 'broken'].includes(call.outcome)) {
        isAnswered = true;
        this.answered += 1;
      }
      await sleep(call.outcome === 'away' ? PAUSE_MS.away : PAUSE_MS.answered);
    }
  }
}
