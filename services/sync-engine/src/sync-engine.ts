import { type TickSigner, ZEQOND_MS } from '@zeq/crypto';
import { BorderTimer, Hub, type Logger, type TimeSource, toFrames } from '@zeq/service-kit';

import { AuditWatch, type CloseLog } from './audit-watch.ts';
import { TickEngine } from './engine.ts';

import { buildSyncMetrics, type SyncMetrics, watchState } from './metrics.ts';
import type { ChainStore } from './store/chain-store.ts';
import { TickSockets } from './tick-sockets.ts';

export interface SyncEngineOptions {
  time: TimeSource;
  log: Logger;
  attesting?: { signer: TickSigner; store: ChainStore } | undefined;
  holder: string;
  /** Absent: ticks bind nothing. */
  closeLog?: CloseLog;
}

/** How long after a border the audit log is asked for its head (ms): the tick itself is long out by then. */
const ASK_AFTER_MS = 200;

/** The clock of one process: timer, engine and listeners wired together. Nothing runs before `start`. */
export interface SyncEngine {
  time: TimeSource;
  engine: TickEngine;
  hub: Hub;
  sockets: TickSockets;
  metrics: SyncMetrics;
  start: () => Promise<void>;
  stop: () => Promise<void>;
}

export function buildSyncEngine({ time, log, attesting, holder, closeLog }: SyncEngineOptions): SyncEngine {
  const metrics = buildSyncMetrics();
  const onFailure = () => metrics.auditFailures.inc();
  const audit = closeLog && new AuditWatch({ time, log, closeLog, onFailure });
  const hub = new Hub(() => metrics.dropped.inc());
  const sockets = new TickSockets(hub);
  const engine = new TickEngine({
    time,
    log,
    ...(attesting && { attesting }),
    holder,
    connections: () => hub.size,
    bound: () => audit?.bound,
    send(message, zeqond) {
      const done = metrics.fanOut.startTimer();
      void hub.broadcast(toFrames(message, zeqond)).then(() => done());
    },
    onTick({ gap, tesc }, lateMs) {
      metrics.lateness.record(lateMs);
      metrics.ticks.inc({ attested: String(tesc !== undefined) });
      if (!gap) return;
      metrics.gaps.inc({ reason: gap.reason });
      metrics.missed.inc({ reason: gap.reason }, gap.missed);
      log.warn({ gap }, 'the chain has a gap');
    },
  });
  watchState(metrics, engine, hub);
  let cancelAsking: (() => void) | undefined;
  const timer = new BorderTimer(time, ZEQOND_MS, () => {
    engine.border();
    if (engine.role === 'leader') cancelAsking = time.schedule(() => void audit?.ask(), ASK_AFTER_MS);
  });
  return {
    time,
    engine,
    hub,
    sockets,
    metrics,
    async start() {
      await engine.start();
      timer.start();
    },
    async stop() {
      timer.stop();
      cancelAsking?.();
      await engine.stop();
      sockets.close();
    },
  };
}
