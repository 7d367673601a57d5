import { type AttestedTick, TickVerifier } from '@zeq/crypto';
import type { FaultMesh } from '../mesh.ts';
import type { Verdict } from '../verdict.ts';

/** The stored chain verifies from its first tick, and holds every tick that anybody was shown. */
export async function judgeChain(
  verdict: Verdict,
  mesh: FaultMesh,
  shown: readonly AttestedTick[],
): Promise<AttestedTick[]> {
  const chain = await wholeChain(mesh.urlOf('sync-engine'));
  const verifier = new TickVerifier();
  const faults = chain.flatMap((tick) => {
    const fault = verifier.accept(tick);
    return fault === undefined ? [] : [`depth ${tick.tesc.depth}: ${fault}`];
  });
  const stored = new Map(chain.map(({ tesc }) => [tesc.depth, tesc.sig]));
  const forks = shown.filter(({ tesc }) => stored.get(tesc.depth) !== tesc.sig);
  verdict.none(`faults in the chain of ${chain.length} ticks`, faults);
  verdict.none(
    'ticks that were shown and are not in the chain',
    forks.map(({ tesc }) => `depth ${tesc.depth}`),
  );
  return chain;
}

async function wholeChain(url: string): Promise<AttestedTick[]> {
  const ticks: AttestedTick[] = [];
  for (let from: number | null = 1; from !== null; ) {
    const answer = await fetch(`${url}/sync/chain?from=${from}&limit=1000`);
    const page = (await answer.json()) as { ticks: AttestedTick[]; next: number | null };
    ticks.push(...page.ticks);
    from = page.next;
  }
  return ticks;
}
