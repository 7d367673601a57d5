import { BASE_NAMES, BASE_RAW } from '../control/base-headers.ts';

/**
 * Lines of the forwarder's answer that end here: those of the hop, those that every answer of the gateway has already,
 * and grants to browsers, which are the gateway's alone to give.
 */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-zeq-request-id',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
  ...BASE_NAMES,
]);

/** The head of the answer to the client, as raw pairs. */
export function answerHead(
  raw: readonly string[],
  requestId: string,
  serverTiming: string,
  extra: readonly string[],
): string[] {
  const head = [...BASE_RAW, ...extra];
  let named = false;
  let dated = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const lower = name.toLowerCase();
    if (DROPPED.has(lower)) continue;
    if (lower === 'x-request-id') named = true;
    else if (lower === 'date') dated = true;
    head.push(name, raw[i + 1]!);
  }
  head.push('Server-Timing', serverTiming, 'X-Zeq-Request-Id', requestId);
  if (!named) head.push('X-Request-Id', requestId);
  if (!dated) head.push('Date', new Date().toUTCString());
  return head;
}
