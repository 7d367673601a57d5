// Hurts the leader of three sync-engines on one PostgreSQL again and again, and checks the chain:
//   DATABASE_URL=postgres://… node bench/leader-kills.ts [KILLS] [SEED] [kill|freeze]
import { randomInt } from 'node:crypto';
import { hurtLeaders } from '../services/sync-engine/test/leader-kills.ts';
import { quantile } from './stats.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const databaseUrl = process.env.DATABASE_URL;
if (!databaseUrl) throw new Error('DATABASE_URL must name a PostgreSQL database');
const kills = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? randomInt(2 ** 31));
const how = process.argv[4] === 'freeze' ? 'freeze' : 'kill';

say(`${kills} times ${how}, seed ${seed}`);
const report = await hurtLeaders({ databaseUrl, kills, seed, how, onProgress: say });

const missed = report.missed.reduce((sum, count) => sum + count, 0);
say(`
| | |
|---|---|
| times | ${kills} (${how}), seed ${seed} |
| forks and other faults in the stored chain | ${report.faults.length} |
| ticks that a listener was shown and the chain does not hold | ${report.lost} |
| ticks stored | ${report.ticks} |
| Zeqonds missed, all together | ${missed} |
| takeover, ms: p50 / p90 / p99 / max | ${[0.5, 0.9, 0.99, 1].map((part) => quantile(report.takeoverMs, part)).join(' / ')} |
`);
for (const fault of report.faults) say(fault);
process.exit(report.faults.length === 0 && report.lost === 0 ? 0 : 1);
