import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import type { UsageRecorder } from './usage/usage-recorder.ts';

export interface MetricSources {
  liveCalls: () => number;
  pools: () => number;
  connections: () => number;
  leases: () => number;
  usage: Pick<UsageRecorder, 'depth' | 'droppedCalls' | 'refusedBatches' | 'unjournaledCalls'>;
  /** Changes of circuits by the state that was entered. */
  circuitChanges: () => Readonly<Record<string, number>>;
  circuitsHeld: () => number;
}

/** Figures of the data plane. Calls are counted in a plain map and shown when somebody asks: a labelled counter costs more. */
export class CallMetrics {
  readonly #ended = new Map<string, number>();

  /** @param outcome `ok`, `aborted`, or a problem code: few values, none chosen by a caller. */
  ended(outcome: string): void {
    this.#ended.set(outcome, (this.#ended.get(outcome) ?? 0) + 1);
  }

  register(registry: Registry, sources: MetricSources): void {
    const counts = this.#ended;
    new Counter({
      name: 'zeq_forward_calls_total',
      help: 'Forwarded calls by how they ended',
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [outcome, count] of counts) this.inc({ outcome }, count);
      },
    });
    gauge(registry, 'zeq_forward_calls_open', 'Calls, streams and sockets that are open', sources.liveCalls);
    gauge(registry, 'zeq_upstream_pools', 'Pools by machine, origin and address', sources.pools);
    gauge(registry, 'zeq_upstream_connections', 'Connections to upstreams', sources.connections);
    gauge(registry, 'zeq_leases_held', 'Leases in the cache', sources.leases);
    const { usage } = sources;
    gauge(
      registry,
      'zeq_usage_tallies_waiting',
      'Sums by API and minute to be reported',
      () => usage.depth.tallies,
    );
    gauge(registry, 'zeq_usage_calls_waiting', 'Single calls to be reported', () => usage.depth.calls);
    counter(
      registry,
      'zeq_usage_calls_dropped_total',
      'Single calls given up; their sums were not',
      () => usage.droppedCalls,
    );
    counter(
      registry,
      'zeq_usage_reports_refused_total',
      'Reports the vault would not take',
      () => usage.refusedBatches,
    );
    counter(
      registry,
      'zeq_usage_calls_unjournaled_total',
      'Calls that a kill would have lost: the journal could not be written',
      () => usage.unjournaledCalls,
    );
    gauge(
      registry,
      'zeq_circuits_held',
      'APIs from whose upstream calls are held back',
      sources.circuitsHeld,
    );
    new Counter({
      name: 'zeq_circuit_changes_total',
      help: 'Changes of circuit breakers by the state that was entered',
      labelNames: ['state'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [state, count] of Object.entries(sources.circuitChanges())) this.inc({ state }, count);
      },
    });
  }
}

/** A counter that is kept elsewhere. */
function counter(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
