import { ChainQuery, VerifyTick } from '@zeq/contracts';
import { phaseOf, SeenSet, type TickSigner, zeqondOf } from '@zeq/crypto';
import {
  type Hub,
  ProblemError,
  parseInput,
  strictJson,
  subscribeToEvents,
  type TimeSource,
} from '@zeq/service-kit';
import { Router } from 'express';
import { chainPage, chainState } from '../chain-view.ts';
import type { TickEngine } from '../engine.ts';

import type { Lateness } from '../lateness.ts';
import type { ChainStore } from '../store/chain-store.ts';
import { MAX_SUBSCRIBERS } from '../tick-sockets.ts';

import { verifyTick } from '../verify-tick.ts';

export interface SyncDeps {
  uid: string;
  time: TimeSource;
  engine: TickEngine;
  hub: Hub;
  metrics: { lateness: Lateness };
  /** Absent without ZEQ_SYNC_SECRET. */
  attesting?: { signer: TickSigner; store: ChainStore } | undefined;
}

const MAX_VERIFY_BYTES = 16_384;

/** What everybody may ask about the clock and its chain. */
export function syncRouter(deps: SyncDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const seen = new SeenSet();
  router.get('/sync/ticks', function streamTicks(req, res) {
    if (deps.hub.size >= MAX_SUBSCRIBERS) throw new ProblemError('overloaded', 'Too many listeners here.');
    subscribeToEvents(deps.hub, req, res);
  });
  router.get('/sync/status', async function showStatus(_req, res) {
    res.set('Cache-Control', 'no-store').json(await statusOf(deps));
  });
  router.get('/sync/chain', async function showChain(req, res) {
    const query = parseInput(ChainQuery, req.query, 'invalid_query');
    const page = await storeAnswer(() => chainPage(requireAttesting(deps).store, query));
    res.set('Cache-Control', 'no-store').json(page);
  });
  router.post('/sync/verify', strictJson({ maxBytes: MAX_VERIFY_BYTES }), async function verify(req, res) {
    const body = parseInput(VerifyTick, req.body);
    const verifyDeps = { ...requireAttesting(deps), seen, presentMs: deps.time.wallMs() };
    res.set('Cache-Control', 'no-store').json(await storeAnswer(() => verifyTick(verifyDeps, body)));
  });
  return router;
}

/** `/health`: what a probe and an operator need at one glance. */
export const healthFacts = ({ hub, engine, attesting, time }: SyncDeps) => ({
  tesc_enabled: attesting !== undefined,
  connections: hub.size,
  frequency: 1.287,
  zeqond: zeqondOf(time.wallMs()),
  role: engine.role,
  holding: engine.hold !== null,
  store: engine.storeState,
});

async function statusOf({ uid, time, engine, hub, metrics, attesting }: SyncDeps) {
  const now = time.wallMs();
  const { hold, head } = engine;
  return {
    zeqond: zeqondOf(now),
    phase: phaseOf(now),
    timestamp: now / 1000,
    uid,
    tesc_enabled: attesting !== undefined,
    role: engine.role,
    connections: hub.size,
    chain: attesting && head ? chainState(attesting.store.identity, head) : null,
    hold: hold && { behind_ms: hold.behindMs, since: new Date(hold.sinceMs).toISOString() },
    last_gap: engine.lastGap,
    store: engine.storeState,
    lateness_ms: metrics.lateness.figures(),
    clock_ppm: engine.ppm,
  };
}

function requireAttesting({ attesting }: SyncDeps) {
  if (attesting) return attesting;
  throw new ProblemError('tesc_disabled', 'This engine attests nothing: ZEQ_SYNC_SECRET is not set.');
}

/** A store that does not answer is no fault of the caller. */
async function storeAnswer<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError('database_unavailable', 'The chain cannot be read; try again.', {
      cause,
      retryAfter: 1,
    });
  }
}
