import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import type { Experiment, Stage } from '../src/experiment.ts';
import { type Call, makeCall } from '../src/load/call.ts';

const LIMIT = 60;
const READY_MS = 10_000;

export const coldStart: Experiment = {
  name: 'F25',
  injects: 'everything started at once, with clients that are connecting already',
  passes: 'ready within 10 s of the databases; nothing crashes; limits hold from the first request',
  rates: {
    forwardsPerSecond: 0,
    registrationsPerSecond: 0,
    adminReadsPerSecond: 0,
    tickReaders: 0,
    sockets: 0,
  },
  async run(stage) {
    const { mesh, verdict, pick } = stage;
    await mesh.stop();
    const clients = new Clients(stage, pick(100, 10_000));
    await sleep(500);
    const begun = performance.now();
    await mesh.startAll({ RATE_LIMIT_RPM: String(LIMIT) });
    verdict.within('all are ready', [performance.now() - begun], READY_MS);
    await sleep(pick(1_500, 10_000));
    const calls = await clients.stop();
    const passed = calls.filter(({ outcome }) => outcome === 'ok').length;
    const limited = calls.filter(({ detail }) => detail === 'rate_limited').length;
    verdict.that(`at most ${LIMIT} calls a minute pass from one address`, passed <= LIMIT, passed);
    verdict.that('the others are told so', limited > 0, limited);
    const odd = calls.filter(
      ({ outcome, detail }) => outcome === 'wrong' || (outcome === 'refused' && !KNOWN.includes(detail)),
    );
    verdict.none(
      'answers that nobody expects',
      odd.map(({ outcome, detail }) => `${outcome} ${detail}`),
    );
    return { faults: [] };
  },
};

/** While the parts come up one may be missing to the other. */
const KNOWN = [
  'rate_limited',
  'service_unavailable',
  'vault_unavailable',
  'database_unavailable',
  'overloaded',
];

/** Clients that try again and again, whatever they are told. */
class Clients {
  readonly #agent: Agent;
  readonly #calls: Call[] = [];
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor({ tenant }: Stage, count: number) {
    this.#agent = new Agent({ connections: count, headersTimeout: 30_000, connect: { timeout: 30_000 } });
    const work = async () => {
      while (!this.#stopped) {
        const ask = { method: 'GET' as const, url: `${tenant.forward}/hello`, headers: tenant.headers };
        this.#calls.push(await makeCall(this.#agent, 'client', 'client', ask));
        await sleep(500);
      }
    };
    this.#running = Promise.all(Array.from({ length: count }, work));
  }

  async stop(): Promise<Call[]> {
    this.#stopped = true;
    await this.#running;
    await this.#agent.destroy();
    return this.#calls;
  }
}
