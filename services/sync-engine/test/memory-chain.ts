import { type AttestedTick, type Head, headOf, keyFromSecret, type TickSigner } from '@zeq/crypto';
import { toSigningKey } from '../src/signing-key.ts';
import type { ChainStore, Lease } from '../src/store/chain-store.ts';
import { genesisHead } from '../src/store/file-chain-store.ts';

export const testSigner = (uid = 'genesis-node'): TickSigner => {
  const { privateKey, publicKey } = toSigningKey(Buffer.alloc(32, 5));
  return {
    uid,
    platKey: keyFromSecret('a test secret', 'zeq/sync/plat/v1'),
    signingKey: privateKey,
    publicKey,
  };
};

/** What several engines share: one chain, one lease, a clock for it. `fail` makes every call throw, as a database that is away. */
export class SharedChain {
  readonly ticks: AttestedTick[] = [];
  readonly identity = {
    uid: 'genesis-node',
    seed: Buffer.alloc(32, 9),
    publicKey: Buffer.from(testSigner().publicKey),
  };
  fail = false;
  /** The next append takes place, but its answer is lost. */
  loseAnswer = false;
  readonly #now: () => number;
  readonly #listeners: ((tick: AttestedTick | undefined) => void)[] = [];
  #token = 0;
  #holder: string | undefined;
  #leaseUntil = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  get head(): Head {
    const last = this.ticks.at(-1);
    return last ? headOf(last) : genesisHead(this.identity);
  }

  /** One engine's way to the chain. */
  open(): ChainStore {
    const reach = () => {
      if (this.fail) throw new Error('the database is away');
    };
    return {
      identity: this.identity,
      lead: async (holder, ttlMs) => {
        reach();
        return this.#lead(holder, ttlMs);
      },
      append: async (lease, tick, ttlMs) => {
        reach();
        const stored = this.#append(lease, tick, ttlMs);
        if (!this.loseAnswer) return stored;
        this.loseAnswer = false;
        throw new Error('the connection broke');
      },
      release: async ({ token }) => {
        if (token === this.#token) this.#leaseUntil = Number.NEGATIVE_INFINITY;
      },
      head: async () => {
        reach();
        return this.head;
      },
      read: async (from, limit) => {
        reach();
        return this.ticks.slice(from - 1, from - 1 + limit);
      },
      depthAt: async (zeqond) => this.ticks.find((tick) => tick.zeqond >= zeqond)?.tesc.depth,
      firstDepth: async () => 1,
      onAppended: (listener) => void this.#listeners.push(listener),
      close: async () => undefined,
    };
  }

  #lead(holder: string, ttlMs: number): Lease | undefined {
    if (this.#holder !== holder && this.#leaseUntil >= this.#now()) return undefined;
    this.#token += 1;
    this.#holder = holder;
    this.#leaseUntil = this.#now() + ttlMs;
    return { token: this.#token, head: this.head };
  }

  #append({ token }: Lease, tick: AttestedTick, ttlMs: number): boolean {
    const { head } = this;
    if (token !== this.#token || tick.tesc.depth !== head.depth + 1 || tick.zeqond <= head.zeqond)
      return false;
    this.ticks.push(tick);
    this.#leaseUntil = this.#now() + ttlMs;
    for (const listener of this.#listeners) listener(tick);
    return true;
  }
}
