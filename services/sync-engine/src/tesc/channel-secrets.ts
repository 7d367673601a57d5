import {
  canonicalJson,
  decryptField,
  encryptField,
  type FieldPlace,
  KeyRing,
  keyFromSecret,
  type SealedField,
  sha256,
  type TescKeys,
  tescKeys,
  wipe,
} from '@zeq/crypto';
import type { ChannelKey, ChannelRecord, ChannelState } from './tesc-store.ts';

const MAX_HELD = 1_000;

/**
 * Channel secrets at rest: sealed like any credential (AES-256-GCM with a commitment, bound to their row), under a master key of this
 * service alone. It is derived from ZEQ_SYNC_SECRET by HKDF with a label of its own, because only the vault may hold ZEQ_FIELD_KEY.
 */
export class ChannelSecrets {
  readonly #ring: KeyRing;
  readonly #held = new Map<string, Promise<TescKeys>>();

  /** @param previous ZEQ_SYNC_SECRET_PREV, while the secret is being changed. */
  constructor(secret: string, previous?: string) {
    const masters = [secret, previous].filter((one) => one !== undefined).map(masterOf);
    this.#ring = new KeyRing(masters[0]!, masters[1]);
    wipe(...masters);
  }

  /** Names the key that new secrets are sealed under. */
  get kid(): string {
    return this.#ring.currentKid;
  }

  /** Whether secrets under this key can be opened. */
  knows(kid: string): boolean {
    return this.#ring.has(kid);
  }

  seal(channel: ChannelRecord, version: number, secret: string): SealedField {
    return encryptField(this.#ring, placeOf(channel, version), secret);
  }

  /** Seals a secret anew under the present key. */
  reseal(channel: ChannelRecord, { version, sealed }: ChannelKey): SealedField {
    const secret = decryptField(this.#ring, placeOf(channel, version), sealed);
    try {
      return encryptField(this.#ring, placeOf(channel, version), secret);
    } finally {
      wipe(secret);
    }
  }

  /** The keys of one version. Deriving them costs 20 ms, so they are held; removed and retired ones fall out by `forget`. */
  keys(channel: ChannelState, key: ChannelKey): Promise<TescKeys> {
    const name = `${channel.id} ${key.version}`;
    const held = this.#held.get(name);
    if (held) return held;
    if (this.#held.size >= MAX_HELD) this.#held.clear();
    const derived = this.#derive(channel, key);
    this.#held.set(name, derived);
    derived.catch(() => this.#held.delete(name)); // told to whoever asked; the next one tries again
    return derived;
  }

  forget(channelId: string): void {
    for (const name of this.#held.keys()) if (name.startsWith(`${channelId} `)) this.#held.delete(name);
  }

  async #derive(channel: ChannelState, { version, sealed }: ChannelKey): Promise<TescKeys> {
    const secret = decryptField(this.#ring, placeOf(channel, version), sealed);
    try {
      return await tescKeys(secret.toString('utf8'), channel.id);
    } finally {
      wipe(secret);
    }
  }
}

const masterOf = (secret: string): Buffer => keyFromSecret(secret, 'zeq/sync/tesc-at-rest/v1').export();

/** Bound to the channel, its owner and the version: a ciphertext that is put elsewhere does not open. */
const placeOf = (channel: ChannelRecord, version: number): FieldPlace => ({
  table: 'tesc_keys',
  column: 'secret_enc',
  tenantId: channel.ownerId,
  tenantSalt: channel.salt,
  rowId: `${channel.id}/${version}`,
  origin: '',
  rowDigest: sha256(canonicalJson({ id: channel.id, owner: channel.ownerId, created_at: channel.createdAt })),
});
