import type { KeyRing } from '@zeq/crypto';
import { ConfigError } from '@zeq/service-kit';
import type { Store } from '../store/store.ts';

/**
 * Refuses to serve over credentials that nobody could open: a key was lost, or a backup is older than a rotation.
 *
 * @throws ConfigError naming each unknown key and how many credentials are under it.
 */
export async function requireKnownKeys(store: Store, ring: KeyRing): Promise<void> {
  const unknown = (await store.rotations.countByKid()).filter(({ kid }) => !ring.has(kid));
  if (unknown.length === 0) return;
  const lines = unknown.map(
    ({ kid, rows }) =>
      `  ZEQ_FIELD_KEY_PREV must hold the master key ${printable(kid)}: ${rows} stored ${rows === 1 ? 'credential is' : 'credentials are'} under it, and neither ZEQ_FIELD_KEY (${ring.currentKid}) nor ZEQ_FIELD_KEY_PREV (${ring.previousKid ?? 'not set'}) is that key`,
  );
  throw new ConfigError(`byok-vault cannot start. Fix these settings:\n${lines.join('\n')}`);
}

/** A key id comes from the database here, where somebody may have written anything. */
const printable = (kid: string): string => (/^[0-9a-f]{16}$/.test(kid) ? kid : '(not a key id)');
