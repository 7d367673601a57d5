import type { TickVerdict, VerifyTick } from '@zeq/contracts';
import {
  type AttestedTick,
  checkTick,
  isInWindow,
  type SeenSet,
  type TickSigner,
  zeqondOf,
} from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import type { z } from 'zod';
import type { ChainStore } from './store/chain-store.ts';

export interface VerifyDeps {
  signer: TickSigner;
  store: ChainStore;
  seen: SeenSet;
  presentMs: number;
}

/**
 * Says whether a tick stands in the chain: it holds by itself, PLAT included, and is the very one that is stored at its depth. With a
 * context it also has to be fresh, so that it can stand for "now" once.
 *
 * @throws ProblemError `zeqond_window_closed`, `plat_replayed` or `plat_invalid`, with a context only.
 */
export async function verifyTick(
  { signer, store, seen, presentMs }: VerifyDeps,
  { tick, context }: z.infer<typeof VerifyTick>,
): Promise<TickVerdict> {
  const present = zeqondOf(presentMs);
  const fault = faultOf(tick, signer);
  const stored = fault === null && (await isStored(store, tick as unknown as AttestedTick));
  const zeqond = Number.isSafeInteger(tick.zeqond) ? (tick.zeqond as number) : present;
  const verdict = { valid: stored, fault, stored, serverZeqond: present, drift: zeqond - present };
  if (context !== undefined) requireFresh(seen, verdict, zeqond, `${context}\0${JSON.stringify(tick.tesc)}`);
  return verdict;
}

function faultOf(tick: unknown, { uid, publicKey, platKey }: TickSigner): string | null {
  const fault = checkTick(tick, platKey);
  if (fault !== undefined) return fault;
  const { tesc } = tick as AttestedTick;
  return tesc.uid === uid && tesc.public_key === Buffer.from(publicKey).toString('hex') ? null : 'foreign';
}

/** Two signed ticks of one depth would be a fork: the signature tells them apart. */
async function isStored(store: ChainStore, tick: AttestedTick): Promise<boolean> {
  const [stored] = await store.read(tick.tesc.depth, 1);
  return stored?.tesc.depth === tick.tesc.depth && stored.tesc.sig === tick.tesc.sig;
}

function requireFresh(seen: SeenSet, verdict: TickVerdict, zeqond: number, value: string): void {
  const { serverZeqond, drift } = verdict;
  const members = { serverZeqond, drift };
  if (!isInWindow(zeqond, serverZeqond)) {
    throw new ProblemError('zeqond_window_closed', 'zeqond window closed: the tick is not of this moment.', {
      members,
    });
  }
  if (!verdict.valid)
    throw new ProblemError('plat_invalid', 'The tick does not stand in the chain.', { members });
  const admission = seen.admit(zeqond, value, serverZeqond);
  if (admission === 'closed')
    throw new ProblemError('zeqond_window_closed', 'zeqond window closed.', { members });
  if (admission !== 'fresh')
    throw new ProblemError('plat_replayed', 'This tick was shown in this context before.', { members });
}
