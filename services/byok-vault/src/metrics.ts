import { buildMetrics } from '@zeq/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';

/** The vault's own figures. */
export interface VaultMetrics {
  registry: Registry;
  /** Credentials that were still read under the previous master key. */
  oldKeyReads: Counter;
  /** Credentials that did not open: edited, damaged, or under an unknown key. */
  unreadable: Counter;
  /** Writes under a key that has encrypted 2^30 times or more: rotate the tenant's salt. */
  keyWritesAlarm: Counter;
  leases: Counter;
  feedReaders: Gauge;
  rotatedRows: Counter;
}

export function buildVaultMetrics(): VaultMetrics {
  const registry = buildMetrics('byok-vault');
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  return {
    registry,
    oldKeyReads: counter('zeq_vault_old_key_reads_total', 'Credentials read under the previous master key'),
    unreadable: counter('zeq_vault_unreadable_credentials_total', 'Credentials that did not open'),
    keyWritesAlarm: counter(
      'zeq_vault_key_writes_alarm_total',
      'Encryptions under a tenant key past 2^30; rotate the salt of that machine',
    ),
    leases: counter('zeq_vault_leases_total', 'Leases handed out'),
    feedReaders: gauge('zeq_vault_feed_readers', 'Open change feeds'),
    rotatedRows: counter('zeq_vault_rotated_rows_total', 'Credentials moved to the current master key'),
  };
}
