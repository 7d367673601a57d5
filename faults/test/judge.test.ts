import { isRefusedRightly, judgeCalls, p99OfForwards, recoveries } from '../src/judge/calls.ts';
import { judgeOldLeases } from '../src/judge/leases.ts';
import type { Call, Outcome } from '../src/load/call.ts';
import { randomFrom } from '../src/random.ts';
import { isWholeStream } from '../src/upstream.ts';
import { Verdict } from '../src/verdict.ts';

const call = (startedAt: number, endedAt: number, outcome: Outcome, detail = ''): Call => ({
  ...{ id: 'one', kind: 'forward', startedAt, endedAt, outcome, detail },
});
const KILL = { what: 'killed', at: 100, seenAt: 110 };

function verdictOn(calls: Call[], rules: Partial<Parameters<typeof judgeCalls>[2]> = {}): boolean {
  const verdict = new Verdict();
  judgeCalls(verdict, [call(0, 10, 'ok'), call(200, 210, 'ok'), call(300, 310, 'ok'), ...calls], {
    faults: [KILL],
    ...rules,
  });
  return verdict.holds;
}

describe('the judge of calls', () => {
  it.each([
    ['a break of a call that was open at the kill', true, [call(50, 105, 'broken')]],
    ['a break of a call that began while the process was ending', true, [call(108, 120, 'broken')]],
    ['a break before the kill', false, [call(50, 99, 'broken')]],
    ['a break after it', false, [call(111, 120, 'broken')]],
    ['a clean end of something that is not whole, even at the kill', false, [call(50, 105, 'wrong')]],
    ['a refusal that nobody documented', false, [call(150, 160, 'refused', 'internal')]],
    ['a gateway that nobody reaches, where there has to be one', false, [call(150, 160, 'away')]],
  ])('lets pass or not: %s', (_what, passes, calls) => {
    expect(verdictOn(calls)).toBe(passes);
  });

  it('lets refusals pass that the experiment documents, and the gateway be away where it was killed', () => {
    const calls = [call(150, 160, 'refused', 'vault_unavailable'), call(120, 121, 'away')];
    const mayRefuse = ({ detail }: Call) => detail === 'vault_unavailable';

    expect(verdictOn(calls, { mayRefuse, gatewayAway: true })).toBe(true);
  });

  it.each([
    ['five seconds into an absence of the vault', true, 5_100, 'vault_unavailable'],
    ['while leases are still good', false, 3_000, 'vault_unavailable'],
    ['long after it was back', false, 9_500, 'vault_unavailable'],
    ['for another reason', false, 5_100, 'internal'],
  ])('knows a refusal %s', (_when, rightly, startedAt, code) => {
    const outages = [{ name: 'byok-vault' as const, at: 0, backAt: 8_000 }];

    expect(isRefusedRightly(call(startedAt, startedAt + 10, 'refused', code), outages)).toBe(rightly);
  });

  it('measures from the end of a fault to the end of the first success that began after it', () => {
    const calls = [
      call(105, 115, 'ok'),
      call(120, 150, 'ok'),
      call(125, 140, 'ok'),
      call(112, 113, 'broken'),
    ];

    expect(recoveries(calls, [KILL], ['forward'])).toEqual([30]);
  });
});

describe('the judge of old leases', () => {
  it.each([
    ['a refusal once the newest lease is too old', true, [call(5_300, 5_310, 'refused')]],
    ['a call that waits until somebody vouches again', true, [call(5_300, 8_100, 'ok')]],
    [
      'a call that goes out on an old lease',
      false,
      [call(5_300, 5_310, 'refused'), call(5_400, 5_410, 'ok')],
    ],
    ['no call at all that would have shown it', false, [call(5_100, 5_110, 'ok'), call(8_100, 8_110, 'ok')]],
  ])('lets pass or not: %s', (_what, passes, calls) => {
    const verdict = new Verdict();

    judgeOldLeases(verdict, calls, 'gone', 0, 8_000);

    expect(verdict.holds).toBe(passes);
  });
});

describe('the p99 of forwards', () => {
  it('is that of those which began and ended well in the time', () => {
    const quick = Array.from({ length: 99 }, (_, i) => call(100 + i, 105 + i, 'ok'));
    const outside = [call(0, 150, 'ok'), call(190, 400, 'ok'), call(120, 180, 'refused')];

    expect(p99OfForwards([...quick, ...outside], 100, 300)).toBe(5);
    expect(p99OfForwards([...quick, call(110, 290, 'ok'), ...outside], 100, 300)).toBe(180);
    expect(p99OfForwards([], 100, 300)).toBeNaN();
  });
});

describe('a verdict', () => {
  it('gives stated times the patience of its machine, and does not pass without a single figure', () => {
    const [strict, patient] = [new Verdict(), new Verdict(5)];
    strict.within('it', [101], 100);
    patient.within('it', [101, 499], 100);
    patient.within('nothing', [], 100);

    expect(strict.holds).toBe(false);
    expect(patient.findings.map(({ holds }) => holds)).toEqual([true, false]);
  });
});

describe('a stream of the upstream', () => {
  const DIGEST_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  it('is whole only with its last line and the digest of all the others', () => {
    const whole = `end ${DIGEST_OF_NOTHING}\n`;

    expect([whole, `line 1\n${whole}`, whole.slice(0, -1), ''].map(isWholeStream)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('random points', () => {
  it('are the same from the same seed', () => {
    const [one, two, other] = [randomFrom(7), randomFrom(7), randomFrom(8)].map((random) => [
      random(),
      random(),
    ]);

    expect(one).toEqual(two);
    expect(one).not.toEqual(other);
  });
});
