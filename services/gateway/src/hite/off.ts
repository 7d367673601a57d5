import { ProblemError } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { LocalRoutes } from '../control/control-plane.ts';

/** The routes of a gateway without ZEQ_HITE_SECRET: they say so. */
export function hiteOff(): LocalRoutes {
  const refuse: RequestHandler = function refuseHite() {
    throw new ProblemError('hite_disabled', 'This mesh has no ZEQ_HITE_SECRET.');
  };
  return { 'POST /api/hite/handshake': refuse, 'POST /api/hite/channel': refuse };
}
