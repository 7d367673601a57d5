import { readFileSync } from 'node:fs';
import { type AttestedTick, checkTick, type TickFault, TickVerifier } from '../src/index.ts';
import { checkTickOnWeb, TickFollower } from '../src/web/index.ts';

interface Vectors {
  ticks: { tick: AttestedTick }[];
  tampered: { field: string; fault: TickFault; tick: AttestedTick }[];
}
const { ticks, tampered } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
) as Vectors;
const published = ticks.map(({ tick }) => tick);
const [first, second, third, fourth] = published as [AttestedTick, AttestedTick, AttestedTick, AttestedTick];

describe('checkTickOnWeb', () => {
  it('holds for every published tick', async () => {
    for (const tick of published) expect(await checkTickOnWeb(tick)).toBeUndefined();
  });

  it.each(tampered.map((row) => [row.field, row] as const))(
    'names the fault when %s was changed, the same as in Node',
    async (_field, { tick, fault }) => {
      expect([await checkTickOnWeb(tick), checkTick(tick)]).toEqual([fault, fault]);
    },
  );

  it('says of a tick that claims nothing that it is unattested', async () => {
    const { tesc: _claim, ...plain } = first;

    expect(await checkTickOnWeb(plain)).toBe('unattested');
  });

  it.each([undefined, null, 7, 'tick', [], {}])('refuses %p, which is no tick', async (value) => {
    expect(await checkTickOnWeb(value)).toBe('shape');
  });
});

describe('TickFollower', () => {
  it('follows the published chain from the first tick to the last', async () => {
    const follower = new TickFollower();

    for (const tick of published) expect(await follower.accept(tick)).toBeUndefined();
    expect(follower.head).toEqual(published.at(-1));
  });

  it.each([
    ['left out', [first, third]],
    ['repeated', [first, second, second]],
    ['shown in the wrong order', [second, first]],
    ['forged into a fork', [first, { ...second, tesc: { ...third.tesc, depth: 1 } }]],
  ])('judges as the verifier in Node does when one was %s', async (_how, shown) => {
    const [follower, verifier] = [new TickFollower(), new TickVerifier()];

    for (const tick of shown) expect(await follower.accept(tick)).toBe(verifier.accept(tick));
  });

  it('refuses the first tick when it is not under the pinned key, or not of the uid', async () => {
    const { public_key, uid } = first.tesc;

    expect(await new TickFollower({ publicKey: public_key, uid }).accept(first)).toBeUndefined();
    expect(await new TickFollower({ publicKey: '0'.repeat(64) }).accept(first)).toBe('foreign');
    expect(await new TickFollower({ uid: 'another-node' }).accept(first)).toBe('foreign');
  });

  it('goes on behind ticks that were not shown when it is told to, and still takes none twice', async () => {
    const follower = new TickFollower();
    await follower.accept(first);

    expect(await follower.accept(third)).toBe('missing');
    expect(await follower.skipTo(third)).toBeUndefined();
    expect(await follower.accept(fourth)).toBeUndefined();
    expect(await follower.accept(third)).toBe('repeated');
  });

  it('keeps its head when what it should skip to does not hold', async () => {
    const follower = new TickFollower();
    await follower.accept(first);

    expect(await follower.skipTo({ ...third, connections: 7 })).toBe('signature');
    expect(follower.head).toEqual(first);
  });
});
