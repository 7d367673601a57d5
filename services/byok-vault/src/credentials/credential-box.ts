import { decryptField, encryptField, FieldError, type KeyRing, type SealedField } from '@zeq/crypto';
import { type Logger, ProblemError } from '@zeq/service-kit';
import type { VaultMetrics } from '../metrics.ts';
import type { ApiRow, StoredApi } from '../store/api-store.ts';
import type { Stores } from '../store/store.ts';
import { placeOf } from './bound-columns.ts';
import { Secret } from './secret.ts';

/** Random 96-bit IVs: alarmed long before, refused short of the 2^32 of NIST SP 800-38D, section 8.3. */
export const WRITES_ALARM = 2 ** 30;
export const WRITES_LIMIT = Math.floor(0.9 * 2 ** 32);

/** A row without its credential columns. */
export type Bindable = Omit<ApiRow, 'credential'>;

/** Encrypts and opens credentials in their rows. The only place of the vault where the master key is used. */
export class CredentialBox {
  readonly ring: KeyRing;
  readonly #metrics: VaultMetrics;
  readonly #log: Logger;

  constructor(ring: KeyRing, metrics: VaultMetrics, log: Logger) {
    this.ring = ring;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Encrypts under the current master key, bound to every other column as it stands in `row`. */
  encrypt(row: Bindable, tenantSalt: Uint8Array, secret: Secret): SealedField {
    return encryptField(this.ring, placeOf({ ...row, credential: null }, tenantSalt), secret.reveal());
  }

  /**
   * Counts encryptions in the running transaction, before they are kept.
   *
   * @param encryptions By machine.
   * @throws ProblemError `key_exhausted` when a tenant's key has encrypted too often.
   */
  async count(stores: Stores, encryptions: ReadonlyMap<string, number>): Promise<void> {
    const totals = await stores.machines.countWrites(this.ring.currentKid, encryptions);
    for (const [machineId, writes] of totals) this.#checkWrites(machineId, writes);
  }

  #checkWrites(machineId: string, writes: number): void {
    if (writes > WRITES_LIMIT)
      throw new ProblemError(
        'key_exhausted',
        "This machine's key has encrypted too often; its salt has to be rotated.",
      );
    if (writes < WRITES_ALARM) return;
    this.#metrics.keyWritesAlarm.inc();
    this.#log.warn(
      { machine_id: machineId, writes },
      'a tenant key nears its limit; rotate the salt of the machine',
    );
  }

  /**
   * Opens a row's credential; the caller wipes it.
   *
   * @returns undefined for one that does not open, for whatever reason: the reason is for the log alone.
   */
  open(row: StoredApi): Secret | undefined {
    const secret = this.tryOpen(row);
    if (secret !== undefined && row.credential !== null) this.#noteOldKey(row, row.credential.kid);
    return secret;
  }

  /** The same, not counted as a use: for looking whether it opens, and for moving it to another key. */
  tryOpen(row: StoredApi): Secret | undefined {
    if (row.credential === null) return undefined;
    try {
      return new Secret(decryptField(this.ring, placeOf(row, row.tenantSalt), row.credential));
    } catch (err) {
      if (!(err instanceof FieldError)) throw err;
      this.#metrics.unreadable.inc();
      const { machineId, id } = row;
      this.#log.warn({ machine_id: machineId, api_id: id, reason: err.reason }, 'a credential does not open');
      return undefined;
    }
  }

  #noteOldKey(row: StoredApi, kid: string): void {
    if (kid === this.ring.currentKid) return;
    this.#metrics.oldKeyReads.inc();
    this.#log.info(
      { machine_id: row.machineId, api_id: row.id, kid },
      'a read needed the previous master key',
    );
  }
}
