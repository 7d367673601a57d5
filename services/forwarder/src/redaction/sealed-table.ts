import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { freshIv, GCM_KEY_BYTES, GCM_TAG_BYTES, gcmOpen, gcmSeal, wipe } from '@zeq/crypto';
import type { SearchTable, TableLayout } from './matcher.ts';

const NO_AAD = new Uint8Array(0);

/**
 * A search table that stays sealed in memory (AES-256-GCM under a key of its own, which lives as long as it does): opening it
 * costs a few microseconds, working it out again some hundred.
 */
export class SealedTable {
  readonly #key: KeyObject;
  readonly #iv = freshIv();
  readonly #body: Buffer;
  readonly #tag: Buffer;
  readonly #layout: TableLayout;

  /** @param table Its bytes are wiped. */
  constructor({ bytes, layout }: SearchTable) {
    const key = randomBytes(GCM_KEY_BYTES);
    this.#key = createSecretKey(key);
    const sealed = gcmSeal(this.#key, this.#iv, NO_AAD, bytes);
    wipe(key, bytes);
    this.#body = sealed.subarray(0, sealed.length - GCM_TAG_BYTES);
    this.#tag = sealed.subarray(sealed.length - GCM_TAG_BYTES);
    this.#layout = layout;
  }

  /** The table in clear text; whoever takes it wipes it. */
  open(): SearchTable {
    return {
      bytes: gcmOpen(this.#key, this.#iv, NO_AAD, this.#body, this.#tag),
      layout: this.#layout,
    };
  }
}
