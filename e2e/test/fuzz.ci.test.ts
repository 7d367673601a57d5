import { randomInt } from 'node:crypto';
import { runFuzz } from '../src/fuzz/run.ts';
import '../src/patience.ts';

describe('twenty seconds of strange requests and strange answers', () => {
  it('end no process, are answered with no fault of ours, and spoil no call of anybody else', async () => {
    const seed = randomInt(2 ** 31);

    const { rounds, findings } = await runFuzz({ seconds: 20, seed });

    expect({ seed, findings: findings.slice(0, 5) }).toEqual({ seed, findings: [] });
    expect(rounds).toBeGreaterThan(100);
  });
});
