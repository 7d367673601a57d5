import type { Hub } from '@zeq/service-kit';
import { buildMetrics } from '@zeq/service-kit';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { TickEngine } from './engine.ts';
import { Lateness } from './lateness.ts';

/** The engine's own figures. */
export interface SyncMetrics {
  registry: Registry;
  lateness: Lateness;
  ticks: Counter<'attested'>;
  gaps: Counter<'reason'>;
  missed: Counter<'reason'>;
  dropped: Counter;
  fanOut: Histogram;
  auditFailures: Counter;
}

export function buildSyncMetrics(): SyncMetrics {
  const registry = buildMetrics('sync-engine');
  const registers = [registry];
  return {
    registry,
    lateness: new Lateness(registry),
    ticks: new Counter({ name: 'zeq_ticks_total', help: 'Ticks shown', labelNames: ['attested'], registers }),
    gaps: new Counter({
      name: 'zeq_tick_gaps_total',
      help: 'Gaps stated',
      labelNames: ['reason'],
      registers,
    }),
    missed: new Counter({
      name: 'zeq_zeqonds_missed_total',
      help: 'Zeqonds without a tick',
      labelNames: ['reason'],
      registers,
    }),
    dropped: new Counter({
      name: 'zeq_subscribers_dropped_total',
      help: 'Listeners that did not read and were cut off',
      registers,
    }),
    auditFailures: new Counter({
      name: 'zeq_audit_head_failures_total',
      help: 'Questions for the head of the audit log that got no answer',
      registers,
    }),
    fanOut: new Histogram({
      name: 'zeq_tick_fan_out_seconds',
      help: 'From the first to the last listener of a tick',
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1],
      registers,
    }),
  };
}

/** Figures that are read when somebody asks. */
export function watchState({ registry }: SyncMetrics, engine: TickEngine, hub: Hub): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge('zeq_subscribers', 'Listeners to ticks', () => hub.size);
  gauge('zeq_chain_depth', 'Ticks in the chain', () => engine.head?.depth ?? 0);
  gauge('zeq_leader', '1 while this engine makes the ticks', () => (engine.role === 'leader' ? 1 : 0));
  gauge('zeq_clock_behind_ms', 'How far the clock lies behind the chain', () => engine.hold?.behindMs ?? 0);
  gauge('zeq_clock_ppm', 'Wall clock against the monotonic one', () => engine.ppm ?? 0);
}
