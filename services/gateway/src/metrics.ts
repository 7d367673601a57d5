import { performance } from 'node:perf_hooks';
import type { AccessLog } from '@zeq/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Call } from './request/call.ts';

export interface GatewayMetrics {
  /** Notes the end of a request: one log line, one count. */
  ended: (call: Call, status: number) => void;
  /** Shows how many forwarded calls run. */
  watch: (inFlight: () => number) => void;
}

interface Figures {
  route: string;
  /** Requests by the first digit of their status; 0 for those that ended without one. */
  byClass: number[];
  seconds: number;
}

/**
 * Counts by route pattern and class of status, never by path or tenant; and writes the access log. Requests are counted in
 * plain numbers and shown when somebody looks: labels cost more than the counting.
 */
export function gatewayMetrics(registry: Registry, access: AccessLog): GatewayMetrics {
  const routes = new Map<string, Figures>();
  showRequests(registry, routes);
  return {
    ended(call, status) {
      const ms = performance.now() - call.startedAt;
      count(routes, call.route, status, ms);
      const { id: requestId, trace, method, route, who, outcome } = call;
      access.write({ requestId, traceId: trace.id, method, route, status, ms, who, outcome });
    },
    watch(inFlight) {
      new Gauge({
        name: 'zeq_gateway_calls_in_flight',
        help: 'Forwarded calls that run now',
        registers: [registry],
        collect() {
          this.set(inFlight());
        },
      });
    },
  };
}

function count(routes: Map<string, Figures>, route: string, status: number, ms: number): void {
  let figures = routes.get(route);
  if (figures === undefined) {
    figures = { route, byClass: [0, 0, 0, 0, 0, 0], seconds: 0 };
    routes.set(route, figures);
  }
  figures.byClass[Math.floor(status / 100)]! += 1;
  figures.seconds += ms / 1000;
}

function showRequests(registry: Registry, routes: ReadonlyMap<string, Figures>): void {
  new Counter({
    name: 'zeq_gateway_requests_total',
    help: 'Requests by route pattern and class of status (0xx: ended without an answer)',
    labelNames: ['route', 'status'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { route, byClass } of routes.values()) {
        for (const [digit, n] of byClass.entries()) this.inc({ route, status: `${digit}xx` }, n);
      }
    },
  });
  new Counter({
    name: 'zeq_gateway_request_seconds_total',
    help: 'Time from the heads of requests to the ends of their answers, added up by route pattern',
    labelNames: ['route'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { route, seconds } of routes.values()) this.inc({ route }, seconds);
    },
  });
}
