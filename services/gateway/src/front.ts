import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { buildServer, isEnding } from '@zeq/service-kit';
import type { ForwardCalls } from './forward/forward-calls.ts';
import { forwardSlug } from './forward/forward-path.ts';
import type { Upgrades } from './forward/upgrades.ts';
import { refuseSocket } from './forward/websocket.ts';
import type { ClientAddresses } from './limits/client-address.ts';
import { Call } from './request/call.ts';
import { answerBrokenRequests, noteCurrent } from './request/client-errors.ts';
import { refuse } from './request/refuse.ts';
import type { RequestGuard } from './request/request-guard.ts';

export interface FrontDeps {
  /** The control plane. */
  app: RequestListener;
  calls: ForwardCalls;
  upgrades: Upgrades;
  guard: RequestGuard;
  addresses: ClientAddresses;
  ended: (call: Call, status: number) => void;
}

/**
 * The one HTTP server. Every request, upgrade and malformed beginning of one arrives here: it is read once, guarded, and goes
 * either down the lean path or to Express.
 */
export function buildFront(deps: FrontDeps): Server {
  const { guard, addresses, upgrades, ended } = deps;
  const server = buildServer((req, res) => receive(req, res, deps), {
    requireHostHeader: false, // the guard says it in our words
    insecureHTTPParser: false,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  // With these listeners Node leaves `100 Continue` to us, so that nobody sends a body that is going to be refused.
  const receiveExpecting: RequestListener = (req, res) => {
    if (!isEnding(req.socket)) receive(req, res, deps);
  };
  server.on('checkContinue', receiveExpecting).on('checkExpectation', receiveExpecting);
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    const call = new Call(req, addresses);
    const refusal = call.refusedBy(guard, req);
    if (refusal === undefined) return upgrades.handle(req, socket, head, call);
    refuseSocket(socket, call, refusal.code, refusal.detail);
    ended(call, 0);
  });
  server.on('connect', (req: IncomingMessage, socket: Socket) => {
    const call = new Call(req, addresses);
    refuseSocket(socket, call, 'method_not_allowed', 'This is not a tunnel.');
    ended(call, 0);
  });
  answerBrokenRequests(server);
  return server;
}

function receive(req: IncomingMessage, res: ServerResponse, deps: FrontDeps): void {
  const call = new Call(req, deps.addresses);
  noteCurrent(req, res);
  const refusal = call.refusedBy(deps.guard, req);
  const slug = refusal === undefined ? slugOfCall(call) : undefined;
  if (slug !== undefined) {
    deps.calls.handle(req, res, call, slug);
    return;
  }
  noteEnd(res, call, deps);
  if (refusal !== undefined) {
    refuse(res, call, refusal.code, refusal.detail);
    return;
  }
  req.call = call;
  deps.app(req, res);
}

/** A preflight is a question to the gateway, not a call: browsers send it without a token. */
function slugOfCall({ headers, method }: Call): string | undefined {
  return method === 'OPTIONS' && headers.preflight ? undefined : forwardSlug(headers.target);
}

function noteEnd(res: ServerResponse, call: Call, { ended }: FrontDeps): void {
  res.once('close', () => ended(call, res.headersSent ? res.statusCode : 0));
}
