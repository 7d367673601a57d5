import { ko42Of, PULSE_HZ, phaseOf, ZEQOND_MS, zeqondOf } from '@zeq/crypto';
import { MESH_VERSION } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { LocalRoutes } from '../control/control-plane.ts';

/** `GET /api/v1/status`: version, uptime and the clock, for platform clients. */
export function statusRoutes(now: () => number = Date.now): LocalRoutes {
  const status: RequestHandler = function showStatus(_req, res) {
    const at = now();
    res.json({
      status: 'ok',
      service: 'zeq-api-gateway',
      version: MESH_VERSION,
      uptime: Math.round(process.uptime()),
      pulse: { frequency: PULSE_HZ, zeqond: ZEQOND_MS / 1000 },
      clock: {
        zeqond: zeqondOf(at),
        phase: phaseOf(at),
        ko42: ko42Of(at),
        timestamp: new Date(at).toISOString(),
      },
    });
  };
  return { 'GET /api/v1/status': status };
}
