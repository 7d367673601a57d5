import { OWN_TRACE_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER } from '@zeq/service-kit';

/** What the forwarder needs to know of a request's header section, read in one pass over the raw names and values. */
export interface RequestHead {
  /** Node's raw pairs: name, value, name, value … */
  raw: readonly string[];
  /** The names in lower case with `-` for `_`: many servers read `X_Api_Key` and `X-Api-Key` as one header. */
  names: readonly string[];
  serviceToken: string | undefined;
  requestId: string | undefined;
  /** The trace that the caller began, and what vendors noted of it: it goes on to the upstream. */
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** A trace that the gateway began: it stays within the mesh. */
  ownTrace: string | undefined;
  /** Bytes; undefined when there is no Content-Length. */
  contentLength: number | undefined;
  chunked: boolean;
  expectsContinue: boolean;
  /** Names that Connection lists, in lower case. */
  hopNames: readonly string[];
  /** How often the call has been through a mesh. */
  hops: number;
}

/** RFC 8586: intermediaries count their own id here, and nobody on the way may remove it. */
export const LOOP_HEADER = 'cdn-loop';
export const LOOP_ID = 'zeq-mesh';

export function readRequestHead(raw: readonly string[]): RequestHead {
  const names: string[] = [];
  const head = {
    raw,
    names,
    serviceToken: undefined as string | undefined,
    requestId: undefined as string | undefined,
    traceparent: undefined as string | undefined,
    tracestate: undefined as string | undefined,
    ownTrace: undefined as string | undefined,
    contentLength: undefined as number | undefined,
    chunked: false,
    expectsContinue: false,
    hopNames: NONE,
    hops: 0,
  };
  for (let i = 0; i < raw.length; i += 2) {
    const name = canonicalName(raw[i]!);
    const value = raw[i + 1]!;
    names.push(name);
    switch (name) {
      case 'x-zeq-service':
        head.serviceToken = head.serviceToken === undefined ? value : ''; // two are none
        break;
      case 'x-request-id':
        head.requestId = value;
        break;
      case TRACEPARENT_HEADER:
        head.traceparent = value;
        break;
      case TRACESTATE_HEADER:
        head.tracestate = value;
        break;
      case OWN_TRACE_HEADER:
        head.ownTrace = value;
        break;
      case 'content-length':
        head.contentLength = Number(value);
        break;
      case 'transfer-encoding':
        head.chunked = true;
        break;
      case 'expect':
        head.expectsContinue = true;
        break;
      case 'connection':
        head.hopNames = withHopNames(head.hopNames, value);
        break;
      case LOOP_HEADER:
        head.hops += value.split(LOOP_ID).length - 1;
        break;
    }
  }
  return head;
}

const NONE: readonly string[] = [];

/** Lower case, and `-` for `_`. Header names are ASCII, so `toLowerCase` folds nothing else here. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

function withHopNames(known: readonly string[], value: string): readonly string[] {
  if (value === 'keep-alive' || value === 'close') return known;
  return [...known, ...value.split(',').map((name) => canonicalName(name.trim()))];
}
