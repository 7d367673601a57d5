import { setTimeout as sleep } from 'node:timers/promises';
import { hurtLeaders } from '../../services/sync-engine/test/leader-kills.ts';
import type { Experiment } from '../src/experiment.ts';
import { killAtRandom } from '../src/kill-at-random.ts';

/** Kills of the leader of three engines. The short form has none: the sync engine's own tests kill its leaders. */
const LEADER_KILLS = { short: 0, whole: 200 };
/** Two Zeqonds. */
const TAKEOVER_MS = 2 * 777;

export const clockKilled: Experiment = {
  name: 'F4',
  injects: 'SIGKILL of sync engine, operator engine and daemon; of the leader among three engines',
  passes: 'forwards do not notice; the gap is recorded; a new leader within two Zeqonds; no fork',
  async run(stage) {
    const { verdict, mesh, pick, postgres, seed, say } = stage;
    await sleep(1_000);
    const killed = await killAtRandom(stage, 'sync-engine', pick(1, 5));
    await killAtRandom(stage, 'operator-engine', pick(1, 3));
    await killAtRandom(stage, 'zeqond-daemon', pick(1, 3));
    await sleep(1_600);
    const answer = await fetch(`${mesh.urlOf('sync-engine')}/sync/chain?from=1&limit=1000`);
    const { ticks } = (await answer.json()) as { ticks: { gap?: unknown }[] };
    const gaps = ticks.filter(({ gap }) => gap !== undefined).length;
    verdict.that(
      `each of ${killed.length} kills of the clock is recorded as a gap`,
      gaps >= killed.length,
      gaps,
    );
    const kills = pick(LEADER_KILLS.short, LEADER_KILLS.whole);
    if (kills > 0 && postgres !== undefined) {
      const databaseUrl = await postgres.server.createDatabase(`${postgres.database}_leaders`);
      const report = await hurtLeaders({ databaseUrl, kills, seed, how: 'kill', onProgress: say });
      verdict.none('forks and other faults after kills of leaders', report.faults);
      verdict.that('ticks that were shown and are lost', report.lost === 0, report.lost);
      verdict.within('another leader', report.takeoverMs, TAKEOVER_MS);
    }
    return { faults: [] };
  },
};
