import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { assertLength, lengthPrefixed, wipe } from './bytes.ts';
import { MASTER_KEY_BYTES } from './master-key.ts';

const KID_LABEL = 'zeq-mesh/kid/v1';
const KID_BYTES = 8;
const SALT_BYTES = 32;
const KEY_BYTES = 32;
const COMMITMENT_BYTES = 32;
/** Derived keys held at once; a derivation costs 10 µs, so a tenant that fell out costs little. */
const MAX_DERIVED = 10_000;

/** What a derived key is for: one column of one tenant, in one version of the format. */
export interface KeyScope {
  version: number;
  table: string;
  column: string;
  tenantId: string;
  /** The tenant's own random 32 bytes, stored beside the tenant. */
  tenantSalt: Uint8Array;
}

/** A key for AES-256-GCM and the 32 bytes that commit to it: GCM by itself opens one ciphertext under many keys. */
export interface FieldKey {
  key: KeyObject;
  commitment: Buffer;
}

/**
 * The master keys in use: the current one, under which everything is written, and while a rotation runs the previous one, under
 * which rows may still be read. A `kid` names a master key without telling anything of it: the first 8 bytes (16 hex digits) of
 * SHA-256 over a label and the key.
 */
export class KeyRing {
  readonly currentKid: string;
  readonly previousKid: string | undefined;
  readonly #masters = new Map<string, KeyObject>();
  readonly #derived = new Map<string, FieldKey>();

  /**
   * @param current 32 bytes; copied, so the caller may wipe its own.
   * @param previous 32 bytes, only while rotating.
   * @throws RangeError if a key is not 32 bytes, or both are the same.
   */
  constructor(current: Uint8Array, previous?: Uint8Array) {
    this.currentKid = this.#add(current, 'current master key');
    this.previousKid = previous && this.#add(previous, 'previous master key');
    if (this.currentKid === this.previousKid) throw new RangeError('both master keys are the same');
  }

  /** Whether rows written under this kid can be read. */
  has(kid: string): boolean {
    return this.#masters.has(kid);
  }

  /**
   * The key and commitment for one scope: HKDF-SHA256 (RFC 5869) with the tenant's salt, 64 bytes out, of which the first 32 are the
   * key and the last 32 the commitment. Kept as a KeyObject: a GCM open with one costs a sixth of one with a Buffer.
   *
   * @returns undefined if no master key of this kid is held.
   * @throws RangeError if the salt is not 32 bytes.
   */
  fieldKey(kid: string, scope: KeyScope): FieldKey | undefined {
    const master = this.#masters.get(kid);
    if (master === undefined) return undefined;
    assertLength(scope.tenantSalt, SALT_BYTES, 'tenant salt');
    const info = keyInfo(scope);
    const slot = `${kid}:${Buffer.from(scope.tenantSalt).toString('latin1')}:${info.toString('latin1')}`;
    const held = this.#derived.get(slot);
    if (held !== undefined) return held;
    const fresh = derive(master, scope.tenantSalt, info);
    if (this.#derived.size >= MAX_DERIVED) this.#derived.delete(this.#derived.keys().next().value!);
    this.#derived.set(slot, fresh);
    return fresh;
  }

  #add(master: Uint8Array, name: string): string {
    assertLength(master, MASTER_KEY_BYTES, name);
    const kid = kidOf(master);
    this.#masters.set(kid, createSecretKey(master));
    return kid;
  }
}

/** The id of a master key: 16 hex digits. */
export function kidOf(master: Uint8Array): string {
  const digest = createHash('sha256').update(lengthPrefixed(KID_LABEL)).update(master).digest();
  return digest.toString('hex', 0, KID_BYTES);
}

/** HKDF's `info`: what the key is for, so that no two columns, tenants or versions share one. */
const keyInfo = (scope: KeyScope): Buffer =>
  lengthPrefixed('zeq-mesh/field-key', String(scope.version), scope.table, scope.column, scope.tenantId);

function derive(master: KeyObject, salt: Uint8Array, info: Uint8Array): FieldKey {
  const okm = Buffer.from(hkdfSync('sha256', master, salt, info, KEY_BYTES + COMMITMENT_BYTES));
  const key = createSecretKey(okm.subarray(0, KEY_BYTES));
  const commitment = Buffer.from(okm.subarray(KEY_BYTES));
  wipe(okm);
  return { key, commitment };
}
