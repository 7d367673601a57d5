import { healthRouter } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import type { LocalRoutes } from '../control/control-plane.ts';

export interface HealthDeps {
  metrics: Registry;
  /** What is missing before calls can be served. */
  notReady: () => string[];
  /** Whether the HITE channel is on. */
  hite: boolean;
}

/** `/health`, `/ready` and `/metrics`; who may see which is said by the table of routes. */
export function healthRoutes({ metrics, notReady, hite }: HealthDeps): LocalRoutes {
  const router: RequestHandler = healthRouter({
    service: 'zeq-api-gateway',
    metrics,
    notReady,
    facts: () => ({ hite_enabled: hite }),
  });
  return { 'GET /health': router, 'GET /ready': router, 'GET /metrics': router };
}
