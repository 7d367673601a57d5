import { ROUTES } from '@zeq/contracts';
import { buildLogger } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { Authentication } from '../src/callers/authentication.ts';
import { buildControlPlane, type ControlPlaneDeps } from '../src/control/control-plane.ts';
import { CorsPolicy } from '../src/control/cors-policy.ts';
import { FORWARD_ROUTE, forwardSlug } from '../src/forward/forward-path.ts';
import { RateWindow } from '../src/limits/rate-window.ts';

const answer: RequestHandler = (_req, res) => void res.end();

/** A control plane of which only the wiring is looked at. */
const deps = (): ControlPlaneDeps => ({
  local: Object.fromEntries(ROUTES.map(({ method, path }) => [`${method} ${path}`, answer])),
  proxies: {
    'byok-vault': answer,
    forwarder: answer,
    'operator-engine': answer,
    'sync-engine': answer,
    'zeqond-daemon': answer,
  },
  authentication: {} as Authentication,
  perAddress: new RateWindow(1),
  ownLimits: {},
  cors: new CorsPolicy([]),
  log: buildLogger('gateway', 'silent'),
});

describe('the table of routes', () => {
  it('holds every route of the gateway, and the gateway every route of the table', () => {
    const { stack } = buildControlPlane(deps()).router;
    const served = stack.flatMap(({ route }) => (route === undefined ? [] : [route.path]));

    expect([...served, FORWARD_ROUTE].sort()).toEqual(ROUTES.map(({ path }) => path).sort());
  });

  it('refuses to start with a route that nobody answers', () => {
    const { local: _none, ...rest } = deps();

    expect(() => buildControlPlane({ ...rest, local: {} })).toThrow('nobody answers GET /health');
  });

  it('names whoever would reach an upstream, so that none of them can be forgotten', () => {
    const reaching = ROUTES.filter(({ service }) => service === 'forwarder');

    expect(reaching.every(({ reachesUpstream }) => reachesUpstream === true)).toBe(true);
    expect(forwardSlug(FORWARD_ROUTE.replace(':slug', 'a').replace(':id', 'b').replace('*', ''))).toBe('a');
  });
});
