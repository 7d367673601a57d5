import { Router } from 'express';
import type { Registry } from 'prom-client';

/** The version every health answer states. */
export const MESH_VERSION = '0.1.0';

export interface HealthOptions {
  service: string;
  metrics: Registry;
  /** Facts for `/health`; never a secret. */
  facts?: () => Record<string, unknown>;
  /** What is missing before the service can serve; empty means ready. */
  notReady: () => string[] | Promise<string[]>;
}

/** `/health` (alive), `/ready` (can serve: 200 or 503 with what is missing), `/metrics`. */
export function healthRouter({ service, metrics, facts, notReady }: HealthOptions): Router {
  const router = Router();
  router.get('/health', function health(_req, res) {
    res.set('Cache-Control', 'no-store');
    res.json({
      status: 'ok',
      service,
      version: MESH_VERSION,
      uptime: Math.round(process.uptime()),
      ...facts?.(),
    });
  });
  router.get('/ready', async function ready(_req, res) {
    const missing = await notReady();
    res.set('Cache-Control', 'no-store').status(missing.length === 0 ? 200 : 503);
    res.json({ status: missing.length === 0 ? 'ready' : 'not_ready', service, missing });
  });
  router.get('/metrics', async function showMetrics(_req, res) {
    res
      .set('Cache-Control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.metrics());
  });
  return router;
}
