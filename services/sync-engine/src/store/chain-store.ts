import type { AttestedTick, Head } from '@zeq/crypto';

/** What makes a chain this chain. It is written once, with the first start. */
export interface ChainIdentity {
  uid: string;
  /** 32 random bytes under the chain's beginning. */
  seed: Buffer;
  /** Ed25519, 32 bytes: the key under every signature of the chain. */
  publicKey: Buffer;
}

/** The right to append, until somebody else gets it. */
export interface Lease {
  /** Grows with every lease, so that whoever held an earlier one is told apart in the append itself. */
  token: number;
  /** Where the chain stands. */
  head: Head;
}

/**
 * Keeps the chain. What has been appended stays: a restart goes on after it, and no two ticks ever have one depth.
 * Failures of the store are thrown; being too late or not the leader is an answer.
 */
export interface ChainStore {
  readonly identity: ChainIdentity;

  /**
   * Asks for the right to append. A holder that asks again gets a new token, which also ends an append of its own that is still under way.
   *
   * @param ttlMs Others get it when this long passes without an append.
   * @returns undefined while somebody else holds it.
   */
  lead(holder: string, ttlMs: number): Promise<Lease | undefined>;

  /**
   * Appends the tick after the head and prolongs the lease. When it has answered true the tick is durable.
   *
   * @returns false, with nothing written, when the token is no longer the latest or the tick does not follow the head.
   */
  append(lease: Lease, tick: AttestedTick, ttlMs: number): Promise<boolean>;

  /** Gives the lease up, so that another engine need not wait for its end. */
  release(lease: Lease): Promise<void>;

  head(): Promise<Head>;

  /** Ticks from a depth on, in order. */
  read(fromDepth: number, limit: number): Promise<AttestedTick[]>;

  /** The depth of the first tick at or after a Zeqond; undefined when there is none. */
  depthAt(zeqond: number): Promise<number | undefined>;

  /** The first depth that is still kept. */
  firstDepth(): Promise<number>;

  /** Calls for each tick that was appended by any engine, and with undefined when some may have been missed: `read` has them. */
  onAppended(listener: (tick: AttestedTick | undefined) => void): void;

  close(): Promise<void>;
}
