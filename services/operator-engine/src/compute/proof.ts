import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Claim, Computation } from '@zeq/contracts';
import { canonicalJson, equalDigests, zeqondOf } from '@zeq/crypto';

const KEY_BYTES = 32;
const LABEL = 'zeq operator proof v1';

export interface Verdict {
  valid: boolean;
  zeqond: number | null;
  age_zeqonds: number | null;
}

const INVALID: Verdict = { valid: false, zeqond: null, age_zeqonds: null };

/**
 * Proofs of computations: HMAC-SHA256 over the canonical JSON (RFC 8785) of everything that the computation says of itself, so no
 * part of it can be changed or left out. The key comes from the secret by HKDF-SHA256 (RFC 5869) with a label of its own.
 */
export class Prover {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];

  /** @param secrets The first one signs; proofs under the others still verify, so that a change of secret voids none. */
  constructor(secrets: readonly [string, ...string[]]) {
    const [first, ...others] = secrets;
    this.#keys = [deriveKey(first), ...others.map(deriveKey)];
  }

  prove(claim: Claim): Computation {
    return { ...claim, proof: this.#digest(this.#keys[0], canonicalJson(claim)).toString('hex') };
  }

  /** Checks a computation of any age. Digests are compared in constant time, and every key is tried whichever fits. */
  verify(computation: Readonly<Record<string, unknown>>, nowMs: number): Verdict {
    const { proof, ...claim } = computation;
    const text = canonicalOf(claim);
    if (typeof proof !== 'string' || !/^[0-9a-f]{64}$/.test(proof) || text === undefined) return INVALID;
    const given = Buffer.from(proof, 'hex');
    const fits = this.#keys.filter((key) => equalDigests(this.#digest(key, text), given));
    if (fits.length === 0) return INVALID;
    const zeqond = Number(claim.zeqond);
    return { valid: true, zeqond, age_zeqonds: zeqondOf(nowMs) - zeqond };
  }

  #digest(key: KeyObject, text: string): Buffer {
    return createHmac('sha256', key).update(text).digest();
  }
}

const deriveKey = (secret: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', LABEL, KEY_BYTES)));

/** undefined for what has no canonical form; such a thing was never proved. */
function canonicalOf(claim: Record<string, unknown>): string | undefined {
  try {
    return canonicalJson(claim);
  } catch (err) {
    if (err instanceof TypeError || err instanceof RangeError) return undefined;
    throw err;
  }
}
