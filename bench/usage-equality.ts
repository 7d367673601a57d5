// Mixed calls through the whole mesh (answers, streams, WebSockets, refusals, tests, callers that leave, upstreams that break off), and
// whether what the vault has counted equals what a counting upstream saw:
//   node bench/usage-equality.ts [--calls 10000] [--at-once 50] [--rounds term,vault-kill,kill]
// Each round makes that many calls: with SIGTERM to the forwarder amid them, SIGKILL to the vault, SIGKILL to the forwarder.
// Exit code 1 when a count differs; after SIGKILL to the forwarder, when more is missing than had ended since its last report.
import { parseArgs } from 'node:util';
import { type Difference, differences, openUsageWorld } from '../e2e/src/usage-experiment.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '50' },
    rounds: { type: 'string', default: 'term,vault-kill,kill' },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);

const ROUNDS: Record<string, ['forwarder' | 'byok-vault', NodeJS.Signals]> = {
  term: ['forwarder', 'SIGTERM'],
  'vault-kill': ['byok-vault', 'SIGKILL'],
  kill: ['forwarder', 'SIGKILL'],
};
/** A report every second, and the time it is on its way (ms). */
const ONE_TICK_MS = 1_500;

const world = await openUsageWorld();
let failed = false;
let lostBefore: Difference[] = [];
try {
  for (const round of values.rounds.split(',')) {
    const [service, signal] = ROUNDS[round]!;
    const calls = Number(values.calls);
    const startedAt = performance.now();
    const running = world.calls.run(calls, Number(values['at-once']));
    await world.calls.reached(world.calls.done + calls / 2);
    const killedAt = performance.now();
    await world.restart(service, signal);
    await running;
    await world.settled();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const found = await differences(world);
    const atRisk = world.upstream.openBetween(killedAt - ONE_TICK_MS, killedAt);
    const missing = sentMissing(found) - sentMissing(lostBefore);
    say(
      `${round}: ${calls} calls in ${seconds} s; the upstream saw ${world.upstream.requests} requests so far`,
    );
    if (round === 'kill') {
      say(
        `  ${missing} requests are missing; ${atRisk} were open or ended within ${ONE_TICK_MS} ms before the kill`,
      );
      failed ||= missing < 0 || missing > atRisk;
    } else {
      const news = found.filter(
        ({ name, counted, seen }) =>
          !lostBefore.some((old) => old.name === name && old.seen - old.counted === seen - counted),
      );
      for (const { name, counted, seen } of news) say(`  ${name}: counted ${counted}, seen ${seen}`);
      if (news.length === 0) say('  every count is equal');
      failed ||= news.length > 0;
    }
    lostBefore = found;
  }
} finally {
  await world.stop();
}
process.exitCode = failed ? 1 : 0;

/** Requests that the upstream saw and the vault has not counted. */
function sentMissing(found: readonly Difference[]): number {
  const sent = found.filter(({ name }) => name.endsWith('.sent'));
  return sent.reduce((sum, { counted, seen }) => sum + seen - counted, 0);
}
