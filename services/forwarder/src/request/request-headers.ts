import { pushTrace, TRACEPARENT_HEADER, TRACESTATE_HEADER, traceOf } from '@zeq/service-kit';
import type { Allowed } from '../decision/decide.ts';
import type { LeasedApi } from '../leases/leased-api.ts';
import { canonicalName, LOOP_HEADER, LOOP_ID, type RequestHead } from './request-head.ts';

/**
 * Never sent on: framing and hop-by-hop headers (RFC 9110 section 7.6.1), every header in which a caller may carry a token of
 * the mesh, cookies of our origin, and what tells of the way to us.
 */
const DROPPED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'accept-encoding',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-admin-key',
  'cookie',
  'cookie2',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-cluster-client-ip',
  'x-original-url', // some servers take it for the path, which a token's scope then does not cover
  'x-rewrite-url',
  LOOP_HEADER,
  TRACEPARENT_HEADER,
  TRACESTATE_HEADER,
]);
const DROPPED_PREFIXES = ['x-zeq-', 'x-forwarded-', 'x-hite-', 'proxy-'] as const;

export const isDroppedName = (name: string): boolean =>
  DROPPED.has(name) || DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));

/** Many servers take it for the method: where only some are allowed, none may come this way. */
const METHOD_OVERRIDES: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
]);

/** Tokens of the mesh, wherever a caller put them. */
const MESH_TOKEN = /z(?:sm|at)_[A-Za-z0-9_-]{16}/;
const SHORTEST_WITH_TOKEN = 20;

/**
 * The headers that may go upstream, as raw pairs, without the credential. The credential is attached to the result: names
 * that Connection lists are dropped here, so `Connection: authorization` cannot remove it.
 */
export function upstreamHeaders(
  head: RequestHead,
  { api, limitsMethods }: Pick<Allowed, 'api' | 'limitsMethods'>,
): string[] {
  const { raw, names, hopNames } = head;
  const credentialName = api.inject?.kind === 'header' ? api.inject.canonical : undefined;
  const out: string[] = [];
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i]!;
    const value = raw[2 * i + 1]!;
    if (DROPPED.has(name) || name === credentialName || hasDroppedPrefix(name)) continue;
    if (limitsMethods && METHOD_OVERRIDES.has(name)) continue;
    if (hopNames.length > 0 && hopNames.includes(name)) continue;
    if (value.length >= SHORTEST_WITH_TOKEN && MESH_TOKEN.test(value)) continue;
    out.push(raw[2 * i]!, value);
  }
  addDefaults(out, names, api);
  out.push('accept-encoding', 'identity', LOOP_HEADER, loopValue(head.hops));
  pushCallersTrace(out, head);
  return out;
}

const X = 120;
const P = 112;

/** The first letter spares most names the comparison of prefixes. */
function hasDroppedPrefix(name: string): boolean {
  const first = name.charCodeAt(0);
  return (first === X || first === P) && DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** The API's extra headers are defaults: the caller's own header of that name goes before. */
function addDefaults(out: string[], names: readonly string[], api: LeasedApi): void {
  for (const { name, canonical, value } of api.extraHeaders) {
    if (!names.includes(canonical)) out.push(name, value);
  }
}

/** The caller's trace goes on; one that the mesh began is nobody else's business. */
function pushCallersTrace(out: string[], { traceparent, tracestate }: RequestHead): void {
  if (traceparent === undefined) return;
  const trace = traceOf(traceparent, tracestate);
  if (trace.isCallers) pushTrace(out, trace);
}

const loopValue = (hops: number): string => (hops === 0 ? LOOP_ID : `${LOOP_ID}, ${LOOP_ID}`);

/** What of an API's extra headers may be sent at all; the credential's own name never comes from here. */
export function usableExtraHeaders(
  headers: Readonly<Record<string, string>>,
  credentialName: string | undefined,
): { name: string; canonical: string; value: string }[] {
  return Object.entries(headers)
    .map(([name, value]) => ({ name, canonical: canonicalName(name), value }))
    .filter(({ canonical }) => canonical !== credentialName && !NEVER_DEFAULT.test(canonical));
}

/** Extra headers may not touch framing, routing or our own names; a second `Authorization` beside the credential they may. */
const NEVER_DEFAULT =
  /^(?:host|content-length|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|accept-encoding|cdn-loop|proxy-.*|x-zeq-.*)$/;
