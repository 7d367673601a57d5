import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { ChainPage } from '@zeq/contracts';
import {
  type AttestedTick,
  attestTick,
  genesisChain,
  type Head,
  headOf,
  keyFromSecret,
  NO_PLAT,
  type TickSigner,
} from '@zeq/crypto';
import type { ChainSource } from '../src/chain-watch.ts';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
export const SEED = Buffer.alloc(32, 3);
export const FIRST = 2_240_024_711;

export function signerFrom(keyByte = 5, uid = 'genesis-node'): TickSigner {
  const der = Buffer.concat([PKCS8, Buffer.alloc(32, keyByte)]);
  const signingKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = Buffer.from(String(createPublicKey(signingKey).export({ format: 'jwk' }).x), 'base64url');
  return { uid, signingKey, publicKey, platKey: keyFromSecret('a secret', 'zeq/sync/plat/v1') };
}

/** A chain that a test grows, cuts and rewrites, as an engine would show it. */
export class TestChain implements ChainSource {
  readonly url: string;
  ticks: AttestedTick[] = [];
  asked = 0;
  away = false;
  readonly #signer: TickSigner;
  readonly #first: number;

  constructor(url = 'http://engine', signer = signerFrom(), first = FIRST) {
    this.#first = first;
    this.url = url;
    this.#signer = signer;
  }

  /** Appends consecutive ticks. @param connections Makes otherwise equal ticks differ. */
  grow(count: number, connections = 0): AttestedTick[] {
    const grown: AttestedTick[] = [];
    for (let i = 0; i < count; i += 1) {
      const head = this.#head();
      const zeqond = head.depth === 0 ? this.#first : head.zeqond + 1;
      const tick = attestTick(this.#signer, head, { timestampMs: zeqond * 777, connections });
      this.ticks.push(tick);
      grown.push(tick);
    }
    return grown;
  }

  page = async (from: number, to: number): Promise<ChainPage> => {
    this.asked += 1;
    if (this.away) throw new Error('away');
    const head = this.#head();
    return {
      uid: this.#signer.uid,
      public_key: Buffer.from(this.#signer.publicKey).toString('hex'),
      genesis: { seed: SEED.toString('hex'), chain: '0'.repeat(64) },
      first_depth: 1,
      head: { depth: head.depth, zeqond: head.zeqond, chain: Buffer.from(head.chain).toString('hex') },
      ticks: this.ticks.slice(from - 1, to) as ChainPage['ticks'],
      next: null,
    };
  };

  #head(): Head {
    const last = this.ticks.at(-1);
    const chain = genesisChain(SEED, this.#signer.uid);
    return last ? headOf(last) : { depth: 0, zeqond: 0, plat: NO_PLAT, chain };
  }
}
