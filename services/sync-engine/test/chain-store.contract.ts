import { type AttestedTick, attestTick, type Head, headOf, TickVerifier } from '@zeq/crypto';
import type { ChainStore, Lease } from '../src/store/chain-store.ts';
import { testSigner } from './memory-chain.ts';

export interface OpenedStore {
  store: ChainStore;
  /** Opens the same chain once more: after the first was closed, or beside it. */
  again: () => Promise<ChainStore>;
}

const TTL_MS = 60_000;
const FIRST = 2_240_024_711;
const { platKey } = testSigner();

const tickAfter = ({ identity }: ChainStore, head: Head, step = 1, bound?: Buffer): AttestedTick => {
  const zeqond = (head.depth === 0 ? FIRST : head.zeqond) + step;
  const gap =
    head.depth > 0 && step > 1
      ? { after: head.zeqond, missed: step - 1, reason: 'stall' as const }
      : undefined;
  const facts = {
    timestampMs: zeqond * 777 + 5,
    connections: step,
    ...(gap && { gap }),
    ...(bound && { bound }),
  };
  return attestTick(testSigner(identity.uid), head, facts);
};

async function appendMany(store: ChainStore, lease: Lease, count: number): Promise<AttestedTick[]> {
  const ticks: AttestedTick[] = [];
  let head = await store.head();
  for (let i = 0; i < count; i += 1) {
    const tick = tickAfter(store, head, 1 + (i % 3), i % 5 === 0 ? Buffer.alloc(32, i + 1) : undefined);
    if (!(await store.append(lease, tick, TTL_MS))) throw new Error(`tick ${i} was not stored`);
    head = headOf(tick);
    ticks.push(tick);
  }
  return ticks;
}

/** What every keeper of the chain guarantees. */
export function chainStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the chain in ${name}`, () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.store.close();
    });

    const lead = async (holder = 'one') => (await opened.store.lead(holder, TTL_MS))!;

    it('begins with nothing', async () => {
      const { store } = opened;

      expect((await store.head()).depth).toBe(0);
      expect(await store.read(1, 10)).toEqual([]);
      expect(await store.depthAt(0)).toBeUndefined();
      expect(await store.firstDepth()).toBe(1);
    });

    it('gives back exactly what was appended, in any pages', async () => {
      const { store } = opened;
      const ticks = await appendMany(store, await lead(), 25);

      expect(await store.read(1, 100)).toEqual(ticks);
      expect(await store.read(8, 5)).toEqual(ticks.slice(7, 12));
      expect(await store.read(25, 5)).toEqual(ticks.slice(24));
      expect(await store.read(26, 5)).toEqual([]);
      expect(headOf(ticks.at(-1)!)).toEqual(await store.head());
      const verifier = new TickVerifier({ platKey });
      expect(ticks.map((tick) => verifier.accept(tick))).toEqual(ticks.map(() => undefined));
    });

    it('finds ticks by time', async () => {
      const { store } = opened;
      const ticks = await appendMany(store, await lead(), 12);

      for (const { zeqond, tesc } of ticks) expect(await store.depthAt(zeqond)).toBe(tesc.depth);
      expect(await store.depthAt(0)).toBe(1);
      expect(await store.depthAt(ticks[3]!.zeqond + 1)).toBe(5);
      expect(await store.depthAt(ticks.at(-1)!.zeqond + 1)).toBeUndefined();
    });

    it('stores no tick that does not follow the head', async () => {
      const { store } = opened;
      const lease = await lead();
      const [first, second] = await appendMany(store, lease, 2);

      for (const tick of [first!, second!, tickAfter(store, headOf(first!), 2)])
        expect(await store.append(lease, tick, TTL_MS)).toBe(false);
      expect(await store.read(1, 10)).toEqual([first, second]);
    });

    it('stores nothing under a lease that was given anew, also to the same holder', async () => {
      const { store } = opened;
      const old = await lead();
      const now = await lead();
      const tick = tickAfter(store, now.head);

      expect(await store.append(old, tick, TTL_MS)).toBe(false);
      expect(await store.append(now, tick, TTL_MS)).toBe(true);
    });

    it('stores nothing under a lease that was given up', async () => {
      const { store } = opened;
      const lease = await lead();
      await store.release(lease);
      const next = (await store.lead('two', TTL_MS))!;

      expect(await store.append(lease, tickAfter(store, lease.head), TTL_MS)).toBe(false);
      expect(await store.append(next, tickAfter(store, next.head), TTL_MS)).toBe(true);
    });

    it('stores one of many appends at one depth that come at once', async () => {
      const { store } = opened;
      const lease = await lead();
      const rivals = [1, 2, 3, 4, 5, 6].map((step) => tickAfter(store, lease.head, step));

      const answers = await Promise.all(rivals.map((tick) => store.append(lease, tick, TTL_MS)));

      expect(answers.filter((stored) => stored)).toHaveLength(1);
      expect(await store.read(1, 10)).toEqual([rivals[answers.indexOf(true)]]);
    });

    it('goes on where it stood when it is opened again', async () => {
      const ticks = await appendMany(opened.store, await lead(), 7);
      const { identity } = opened.store;
      await opened.store.close();

      opened.store = await opened.again();
      expect(opened.store.identity).toEqual(identity);
      const more = await appendMany(opened.store, await lead(), 3);

      expect(await opened.store.read(1, 100)).toEqual([...ticks, ...more]);
    });
  });
}
