import { readFileSync } from 'node:fs';
import type { Tick } from '@zeq/contracts';
import { createClient, type FollowedTick } from '../src/index.ts';
import { events, fakeMesh, json } from './kit/fake-mesh.ts';

const { ticks } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
) as { ticks: { tick: Tick }[] };
const published = ticks.map(({ tick }) => tick);

async function follow(
  streams: object[][],
  chain: Tick[] = [],
  options: object = {},
): Promise<FollowedTick[]> {
  const rest = [...streams];
  const mesh = fakeMesh({
    'GET /sync/ticks': () => events(rest.shift() ?? []),
    ...Object.fromEntries(
      chain.map((_, i) => {
        const [from, to] = [chain[i]!.tesc!.depth, chain.at(-1)!.tesc!.depth];
        const path = `/sync/chain?from=${from}&to=${to}&limit=${to - from + 1}`;
        return [`GET ${path}`, () => json({ ticks: chain.slice(i) })];
      }),
    ),
  });
  const client = createClient({ url: 'http://mesh.example', fetch: mesh.fetch });
  const seen: FollowedTick[] = [];
  for await (const one of client.clock.ticks({ reconnect: false, ...options })) seen.push(one);
  return seen;
}

const faultsOf = (seen: FollowedTick[]) => seen.map((one) => ('hold' in one ? 'hold' : one.fault));

describe('clock.ticks', () => {
  it('verifies every tick of the published chain', async () => {
    expect(faultsOf(await follow([published]))).toEqual(published.map(() => undefined));
  });

  it('fetches ticks that were missed and verifies them as well', async () => {
    const [first, second, third, fourth] = published as [Tick, Tick, Tick, Tick];

    expect(faultsOf(await follow([[first, fourth]], [second, third]))).toEqual([undefined, undefined]);
  });

  it('names the fault of a missed tick that was tampered with', async () => {
    const [first, second, third, fourth] = published as [Tick, Tick, Tick, Tick];

    expect(
      faultsOf(await follow([[first, fourth]], [second, { ...third, connections: 1 + third.connections }])),
    ).toEqual([undefined, 'signature']);
  });

  it('refuses ticks of another key than the pinned one', async () => {
    expect(faultsOf(await follow([published.slice(0, 2)], [], { publicKey: '0'.repeat(64) }))).toEqual([
      'foreign',
      'foreign',
    ]);
  });

  it('passes on that the clock holds', async () => {
    const hold = { type: 'hold', reason: 'clock_back', zeqond: 1, behind_ms: 5, timestamp: 1 };

    expect(await follow([[hold]])).toEqual([{ hold }]);
  });

  it('fails when there is no stream to begin with', async () => {
    const mesh = fakeMesh({});
    const client = createClient({ url: 'http://mesh.example', fetch: mesh.fetch });

    await expect(client.clock.ticks().next()).rejects.toThrow('(not_found, 404)');
  });
});
