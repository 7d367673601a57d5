import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { SERVICE_TOKEN_HEADER, type ServiceName } from '@zeq/contracts';
import { ProblemError, pushTrace, REQUEST_ID_HEADER, type ServiceTokenSigner } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { Who } from '../callers/authentication.ts';
import { placeOf } from '../config.ts';
import { BASE_NAMES } from './base-headers.ts';

export interface ControlProxyOptions {
  service: ServiceName;
  /** An http address, or `unix:/path.sock`. */
  url: string;
  signer: ServiceTokenSigner;
  /** How long the service may take to answer (ms). */
  timeoutMs: number;
  /** Requests that may be open at the service, its event streams among them. */
  maxOpen?: number;
}

declare global {
  namespace Express {
    interface Request {
      /** Set by `authorize`. */
      who?: Who;
      /** Set by `collectControlBody`. */
      collected?: Buffer;
      /** Set while the control proxy has the request: what it calls when the service cannot answer. */
      proxyFailed?: (cause: unknown) => void;
    }
  }
}

const MAX_OPEN = 512;
/** Connections kept for the next calls: what a crowd has left is not held until the service closes it, 75 s later. */
const MAX_FREE = 32;
/** What the service says about itself or for its own origin: the gateway's lines stand instead. */
const DROPPED = ['connection', 'keep-alive', 'server', 'x-powered-by', 'strict-transport-security'];

/**
 * A proxy for the control plane: keep-alive to one service, the caller named by a service token, headers only those we know. Nothing
 * waits for a connection: in such a queue streams that never end would hold everybody up, and no timeout runs in it.
 */
export function controlProxy(options: ControlProxyOptions): RequestHandler {
  const { service, url, signer, timeoutMs, maxOpen = MAX_OPEN } = options;
  const { origin, socketPath } = placeOf(url);
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: MAX_FREE });
  let open = 0;
  const target = socketPath === undefined ? origin : { ...hostOf(origin), socketPath };
  const proxy = createProxyMiddleware<IncomingMessage, ServerResponse>({
    target,
    agent,
    proxyTimeout: timeoutMs,
    on: {
      proxyReq: sendCollected,
      proxyRes: (answer) => dropLines(answer),
      // A failed connection is told here and nowhere else: the promise of the proxy resolves all the same.
      error: (err, req) => (req as IncomingMessage & Express.Request).proxyFailed?.(err),
    },
  });
  return function proxyToService(req, res, next) {
    if (open >= maxOpen) throw tooMany(service);
    open += 1;
    res.once('close', () => {
      open -= 1;
    });
    speakFor(req, signer, service);
    req.proxyFailed = (cause) => {
      delete req.proxyFailed; // once
      next(away(service, cause));
    };
    proxy(req, res, (err?: unknown) => req.proxyFailed?.(err)).catch(next);
  };
}

const hostOf = (origin: string) => {
  const { protocol, hostname, port } = new URL(origin);
  return { protocol, hostname, port };
};

/** Replaces the caller's headers by those that may go on, and signs for the caller. */
function speakFor(
  req: Express.Request & IncomingMessage,
  signer: ServiceTokenSigner,
  aud: ServiceName,
): void {
  const { call, who } = req;
  if (call === undefined || who === undefined) throw new Error('a proxied route has no caller');
  const headers: IncomingMessage['headers'] = {};
  const { kept } = call.headers;
  pushTrace(kept, call.trace);
  for (let i = 0; i < kept.length; i += 2) headers[kept[i]!.toLowerCase()] = kept[i + 1]!;
  headers[SERVICE_TOKEN_HEADER] = signer.sign(aud, who.caller, who.serial);
  headers[REQUEST_ID_HEADER] = call.id;
  if (req.collected !== undefined) headers['content-length'] = String(req.collected.length);
  req.headers = headers;
  req.url = call.headers.target;
}

/**
 * The body was read before: head, body and end leave in one write. A write that comes later, even of nothing, fails on a socket file whose other
 * side has answered and closed by then, as a service that stops does, and the answer would be lost.
 */
function sendCollected(proxied: ClientRequest, req: IncomingMessage): void {
  const { collected } = req as Express.Request & IncomingMessage;
  if (collected !== undefined && collected.length > 0) proxied.end(collected);
}

function dropLines({ headers }: IncomingMessage): void {
  for (const name of DROPPED) delete headers[name];
  for (const name of BASE_NAMES) if (name !== 'cache-control') delete headers[name];
  for (const name of Object.keys(headers)) if (name.startsWith('access-control-')) delete headers[name];
}

const tooMany = (service: ServiceName) =>
  new ProblemError('overloaded', `${service} has as many requests open as it may.`, { retryAfter: 1 });

function away(service: ServiceName, cause: unknown): ProblemError {
  const code = service === 'byok-vault' ? 'vault_unavailable' : 'service_unavailable';
  return new ProblemError(code, `${service} cannot be reached; try again.`, { cause });
}
