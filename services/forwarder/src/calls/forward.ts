import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessLog, Logger, ServiceTokenVerifier } from '@zeq/service-kit';
import type { Outbound } from '../decision/outbound.ts';
import type { CallMetrics } from '../metrics.ts';
import type { ForwardTarget } from '../request/request-target.ts';
import type { Pools } from '../upstream/pools.ts';
import type { UsageRecorder } from '../usage/usage-recorder.ts';
import { ForwardCall } from './forward-call.ts';

export interface ForwardDeps {
  verifier: ServiceTokenVerifier;
  outbound: Outbound;
  pools: Pools;
  metrics: CallMetrics;
  usage: UsageRecorder;
  accessLog: AccessLog;
  log: Logger;
}

/** `ANY /api/zeq/apis/:slug/:id/forward/*`: no router, no body parser, no JSON on this path. */
export function forward(
  deps: ForwardDeps,
  req: IncomingMessage,
  res: ServerResponse,
  target: ForwardTarget,
): void {
  new ForwardCall(deps, req, res).run(target);
}
