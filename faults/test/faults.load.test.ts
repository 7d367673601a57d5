import { randomInt } from 'node:crypto';
import { jest } from '@jest/globals';
import { EXPERIMENTS } from '../experiments/index.ts';
import { Postgres } from '../src/postgres.ts';
import { runExperiment } from '../src/run-experiment.ts';
import { lineOf } from '../src/verdict.ts';

/** Whatever else the machine does at the same time may make everything slower; what has to be quick is judged by the whole forms. */
const PATIENCE = 5;

jest.setTimeout(120_000);

const seed = Number(process.env.FAULTS_SEED ?? randomInt(2 ** 31));
const say = (text: string) => void process.stdout.write(`${text}\n`);
let server: Postgres;

beforeAll(async () => {
  say(`seed ${seed}; again with FAULTS_SEED=${seed}, the whole forms with node faults/run.ts --whole`);
  server = await Postgres.start();
});
afterAll(() => server.stop());

describe.each(EXPERIMENTS.map((experiment) => [experiment.name, experiment] as const))(
  '%s',
  (_name, experiment) => {
    it(`${experiment.injects}: ${experiment.passes}`, async () => {
      const verdict = await runExperiment(experiment, {
        whole: false,
        seed,
        patience: PATIENCE,
        server,
        say,
      });

      expect(verdict.findings.filter(({ holds }) => !holds).map(lineOf)).toEqual([]);
    });
  },
);
