import type { ChainQuery } from '@zeq/contracts';
import { genesisChain, type Head } from '@zeq/crypto';
import type { ChainIdentity, ChainStore } from './store/chain-store.ts';

const PAGE = 500;

export const genesisOf = ({ seed, uid }: ChainIdentity) => ({
  seed: seed.toString('hex'),
  chain: genesisChain(seed, uid).toString('hex'),
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Who the chain is and where it stands, as `/sync/status` tells it. */
export const chainState = (identity: ChainIdentity, head: Head) => ({
  genesis: genesisOf(identity),
  public_key: hex(identity.publicKey),
  depth: head.depth,
  zeqond: head.zeqond,
  head: hex(head.chain),
});

/** One page of the stored chain. Bounds by time are turned into depths; both kinds together mean the narrower. */
export async function chainPage(store: ChainStore, query: ChainQuery) {
  const { identity } = store;
  const [head, first] = [await store.head(), await store.firstDepth()];
  const from = Math.max(first, query.from ?? 0, await depthFrom(store, query.from_zeqond, head));
  const to = Math.min(head.depth, query.to ?? head.depth, await depthTo(store, query.to_zeqond, head));
  const limit = Math.min(query.limit ?? PAGE, to - from + 1);
  const ticks = limit > 0 ? await store.read(from, limit) : [];
  const last = ticks.at(-1)?.tesc.depth;
  return {
    uid: identity.uid,
    public_key: hex(identity.publicKey),
    genesis: genesisOf(identity),
    first_depth: first,
    head: { depth: head.depth, zeqond: head.zeqond, chain: hex(head.chain) },
    ticks,
    next: last !== undefined && last < to ? last + 1 : null,
  };
}

const depthFrom = async (store: ChainStore, zeqond: number | undefined, head: Head): Promise<number> =>
  zeqond === undefined ? 0 : ((await store.depthAt(zeqond)) ?? head.depth + 1);

const depthTo = async (store: ChainStore, zeqond: number | undefined, head: Head): Promise<number> =>
  zeqond === undefined ? head.depth : ((await store.depthAt(zeqond + 1)) ?? head.depth + 1) - 1;
