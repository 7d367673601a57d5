import { equalDigests, sha256 } from '@zeq/crypto';

/** A list of keys of which only the SHA-256 digests are kept. */
export class PlatformKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map((key) => sha256(key));
  }

  /** Whether a value is one of the keys, in constant time: every digest is compared, whichever fits. */
  has(value: string): boolean {
    const digest = sha256(value);
    let found = false;
    for (const known of this.#digests) found = equalDigests(known, digest) || found;
    return found;
  }
}
