import { readFileSync } from 'node:fs';
import type { Tick } from '@zeq/contracts';
import { GAP_CODES as GAP_CODES_OF_CRYPTO } from '@zeq/crypto';
import { checkTick, GAP_CODES, TickFollower } from '../src/clock/verify-tick.ts';

interface Vectors {
  ticks: { tick: Tick }[];
  tampered: { field: string; fault: string; tick: Tick }[];
}
const read = (path: string): Vectors => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const { ticks, tampered } = read('../../../docs/vectors/clock.json');

/** What is not even a tick never reaches the page: the gateway's types say so. */
const SHAPES = ['shape', 'unattested'];

describe('a tick in the browser', () => {
  it('knows the same gaps as the engine', () => {
    expect(GAP_CODES).toEqual(GAP_CODES_OF_CRYPTO);
  });

  it('holds when it is one of the published ones', async () => {
    for (const { tick } of ticks) expect(await checkTick(tick)).toBeUndefined();
  });

  it.each(tampered.filter(({ fault }) => !SHAPES.includes(fault)).map((row) => [row.field, row] as const))(
    'is refused when %s was changed',
    async (_field, { tick, fault }) => {
      expect(await checkTick(tick)).toBe(fault);
    },
  );

  it('is refused when it claims nothing', async () => {
    const { tesc: _claim, ...plain } = ticks[0]!.tick;

    expect(await checkTick(plain)).toBe('unattested');
  });
});

describe('a chain in the browser', () => {
  it('holds from the first published tick to the last', async () => {
    const follower = new TickFollower();

    for (const { tick } of ticks) expect(await follower.accept(tick)).toBeUndefined();
  });

  it('shows a tick that was left out, and goes on from there', async () => {
    const follower = new TickFollower();
    await follower.accept(ticks[0]!.tick);

    expect(await follower.accept(ticks[2]!.tick)).toBe('missing');
    expect(await follower.accept(ticks[3]!.tick)).toBeUndefined();
  });

  it('takes no tick twice', async () => {
    const follower = new TickFollower();
    await follower.accept(ticks[0]!.tick);
    await follower.accept(ticks[1]!.tick);

    expect(await follower.accept(ticks[1]!.tick)).toBe('repeated');
    expect(await follower.accept(ticks[0]!.tick)).toBe('repeated');
  });
});
