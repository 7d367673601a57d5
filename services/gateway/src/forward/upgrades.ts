import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ROUTES, type RouteSpec, refuseAccess, SERVICE_TOKEN_HEADER, type ServiceName } from '@zeq/contracts';
import {
  type Logger,
  ProblemError,
  pushTrace,
  REQUEST_ID_HEADER,
  type ServiceTokenSigner,
  safeError,
  toProblem,
} from '@zeq/service-kit';
import { accessDetail, NOT_FOUND } from '../callers/access-detail.ts';
import type { Authentication, Who } from '../callers/authentication.ts';
import type { Place } from '../config.ts';
import type { CorsPolicy } from '../control/cors-policy.ts';
import type { RateWindow } from '../limits/rate-window.ts';
import type { Call } from '../request/call.ts';
import { refuseUpgrade } from '../request/request-guard.ts';
import { FORWARD_ROUTE, forwardSlug } from './forward-path.ts';
import { refuseSocket, Tunnel, type TunnelOptions } from './websocket.ts';

export interface UpgradesDeps {
  /** Where the services are that answer sockets. */
  places: Partial<Record<ServiceName, Place>>;
  authentication: Authentication;
  signer: ServiceTokenSigner;
  perAddress: RateWindow;
  cors: CorsPolicy;
  log: Logger;
  /** Whether a caller's trace goes on to upstreams. */
  traceUpstream: boolean;
  ended: (call: Call, status: number) => void;
}

/** Sockets at once: listeners of ticks, and forwarded ones, which the forwarder bounds for each machine as well. */
const MAX_OPEN = 20_000;
/** Headers of the handshake that go on; `Connection` and `Upgrade` are written anew. */
const HANDSHAKE = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];

/** WebSocket upgrades: authenticated, counted and guarded like any call, then piped. */
export class Upgrades {
  readonly #deps: UpgradesDeps;
  readonly #open = new Set<Tunnel>();

  constructor(deps: UpgradesDeps) {
    this.#deps = deps;
  }

  /** Cuts every socket: the server is stopping. */
  closeAll(): void {
    for (const tunnel of this.#open) tunnel.close();
  }

  handle(req: IncomingMessage, socket: Socket, head: Buffer, call: Call): void {
    this.#begin(req, socket, head, call).catch((err: unknown) => {
      const { code, detail, retryAfter } = toProblem(err);
      if (code === 'internal')
        this.#deps.log.error({ err: safeError(err), request_id: call.id }, 'upgrade failed');
      refuseSocket(socket, call, code, detail, retryAfter);
      this.#deps.ended(call, 0);
    });
  }

  async #begin(req: IncomingMessage, socket: Socket, head: Buffer, call: Call): Promise<void> {
    const route = socketRoute(call.headers.target);
    const place = route === undefined ? undefined : this.#deps.places[route.service];
    if (route === undefined || place === undefined) throw new ProblemError('not_found', NOT_FOUND);
    call.route = route.path;
    this.#refuseHandshake(req, call);
    if (this.#open.size >= MAX_OPEN)
      throw new ProblemError('overloaded', 'The gateway carries as many sockets as it can.', {
        retryAfter: 1,
      });
    const who = await this.#identify(call, route);
    if (socket.destroyed) this.#deps.ended(call, 0);
    else this.#tunnel({ socket, head, call, place, headers: this.#headersFor(call, who, route, place) }, who);
  }

  #refuseHandshake({ headers }: IncomingMessage, call: Call): void {
    const refusal = refuseUpgrade(
      call.method,
      call.headers,
      headers['sec-websocket-version'],
      headers['sec-websocket-key'],
    );
    if (refusal !== undefined) throw new ProblemError(refusal.code, refusal.detail);
    if (!this.#deps.cors.allowsSocket(call.headers.origin, call.headers.host))
      throw new ProblemError('origin_refused', 'Pages of this origin may not open sockets here.');
  }

  async #identify(call: Call, { audience, path }: RouteSpec): Promise<Who> {
    const { authentication, perAddress } = this.#deps;
    const who = await authentication.identify(audience, call.headers, call.address);
    call.who = who.label;
    if (!perAddress.hit(call.address))
      throw new ProblemError('rate_limited', 'Too many requests from this address.', {
        retryAfter: perAddress.secondsToNext(call.address),
      });
    const slug = path === FORWARD_ROUTE ? forwardSlug(call.headers.target) : undefined;
    const code = refuseAccess(audience, who.caller, slug);
    if (code !== undefined) throw new ProblemError(code, accessDetail(code));
    return who;
  }

  #headersFor(call: Call, who: Who, { service }: RouteSpec, { origin }: Place): string[] {
    const { signer, authentication } = this.#deps;
    const { kept, strangers } = call.headers;
    const headers = [...kept, ...HANDSHAKE];
    for (let i = 0; i < strangers.length; i += 2) {
      if (!authentication.isOurs(strangers[i + 1]!)) headers.push(strangers[i]!, strangers[i + 1]!);
    }
    headers.push(SERVICE_TOKEN_HEADER, signer.sign(service, who.caller, who.serial));
    headers.push(REQUEST_ID_HEADER, call.id, 'Host', new URL(origin).host);
    pushTrace(headers, call.trace, this.#deps.traceUpstream);
    return headers;
  }

  /** Opens the tunnel; it ends with the identity that it runs under. */
  #tunnel(options: Omit<TunnelOptions, 'done'>, { identity }: Who): void {
    const tunnel: Tunnel = new Tunnel({
      ...options,
      done: (status) => {
        identity?.live.remove(tunnel);
        this.#open.delete(tunnel);
        this.#deps.ended(options.call, status);
      },
    });
    identity?.live.add(tunnel);
    this.#open.add(tunnel);
    tunnel.open();
  }
}

const SOCKET_ROUTES = ROUTES.filter(({ method, path }) => method === 'GET' && /\/ws$/.test(path)).map(
  (route) => ({
    route,
    pattern: new RegExp(`^${route.path.replace(/:\w+/g, '[A-Za-z0-9._-]+')}(?:\\?|$)`),
  }),
);
const FORWARD = ROUTES.find(({ path }) => path === FORWARD_ROUTE);

/** The route of the table that a socket is asked for: a forwarded call, or one whose path ends in `/ws`. */
function socketRoute(target: string): RouteSpec | undefined {
  if (forwardSlug(target) !== undefined) return FORWARD;
  return SOCKET_ROUTES.find(({ pattern }) => pattern.test(target))?.route;
}
