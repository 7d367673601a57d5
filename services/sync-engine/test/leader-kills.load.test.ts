import { randomInt } from 'node:crypto';
import { hurtLeaders, type KillReport } from './leader-kills.ts';
import { scratchSchema } from './scratch-schema.ts';

const scratch = await scratchSchema();
afterAll(() => scratch.drop());

/** Two Zeqonds, and what a loaded machine adds to starting, scheduling and delivery. */
const TAKEOVER_MS = 2 * 777 + 1_500;

function expectNoHarm(report: KillReport): void {
  expect(report.faults).toEqual([]);
  expect(report.lost).toBe(0);
  expect(report.ticks).toBeGreaterThan(report.takeoverMs.length);
  expect(Math.max(...report.takeoverMs)).toBeLessThan(TAKEOVER_MS);
}

// The whole form, 200 kills: node bench/leader-kills.ts
describe('three engines on one PostgreSQL', () => {
  it('go on within two Zeqonds, without a fork or a lost tick, when the leader is killed', async () => {
    const seed = randomInt(2 ** 31);
    process.stdout.write(`seed ${seed}\n`);

    expectNoHarm(await hurtLeaders({ databaseUrl: scratch.url, kills: 8, seed, how: 'kill' }));
  }, 120_000);

  it('let nothing be written by a leader that was frozen and wakes up', async () => {
    const seed = randomInt(2 ** 31);
    process.stdout.write(`seed ${seed}\n`);

    expectNoHarm(await hurtLeaders({ databaseUrl: scratch.url, kills: 4, seed, how: 'freeze' }));
  }, 120_000);
});
