import { PAGE_HEADERS } from '../api/client.ts';

export interface ConsoleRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** What is known of an answer, while it comes and afterwards. */
export interface Progress {
  state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'broken';
  status: number | null;
  /** Set when the mesh itself answered, not the upstream. */
  meshCode: string | null;
  contentType: string;
  headers: readonly [string, string][];
  text: string;
  bytes: number;
  /** Milliseconds since the request was sent. */
  firstByteMs: number | null;
  totalMs: number | null;
  /** What gateway and forwarder added, by Server-Timing (ms). */
  addedMs: number | null;
  error: string | null;
}

const BEGIN: Progress = {
  state: 'waiting',
  status: null,
  meshCode: null,
  contentType: '',
  headers: [],
  text: '',
  bytes: 0,
  firstByteMs: null,
  totalMs: null,
  addedMs: null,
  error: null,
};

/** More than this of an answer is counted but not shown (characters). */
const SHOWN_CHARS = 200_000;

/** Sends a request through the mesh and reports the answer as it comes. */
export async function sendAndReport(
  request: ConsoleRequest,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const since = () => performance.now() - startedAt;
  let progress = BEGIN;
  const note = (part: Partial<Progress>) => {
    progress = { ...progress, ...part };
    report(progress);
  };
  note({});
  try {
    const answer = await open(request, signal);
    note({ ...headOf(answer), state: 'streaming', firstByteMs: since() });
    await readBody(answer, (text, bytes) =>
      note({ text: progress.text + text, bytes: progress.bytes + bytes }),
    );
    note({ state: 'done', totalMs: since() });
  } catch (err) {
    if (signal.aborted) note({ state: 'stopped', totalMs: since() });
    else note({ state: 'broken', totalMs: since(), error: brokenWords(progress, err as Error) });
  }
}

function open({ url, method, headers, body }: ConsoleRequest, signal: AbortSignal): Promise<Response> {
  const sends = body !== '' && method !== 'GET' && method !== 'HEAD';
  const typed = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return fetch(url, {
    method,
    headers: { ...PAGE_HEADERS, ...(sends && !typed && { 'Content-Type': 'application/json' }), ...headers },
    ...(sends && { body }),
    signal,
    cache: 'no-store',
    redirect: 'manual',
  });
}

function headOf(answer: Response): Partial<Progress> {
  return {
    status: answer.status,
    meshCode: answer.headers.get('x-zeq-error'),
    contentType: answer.headers.get('content-type') ?? '',
    headers: [...answer.headers],
    addedMs: addedMs(answer.headers.get('server-timing')),
  };
}

async function readBody(answer: Response, add: (text: string, bytes: number) => void): Promise<void> {
  const isText = /text|json|xml|javascript|event-stream|x-ndjson/.test(
    answer.headers.get('content-type') ?? '',
  );
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let shown = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    const text = isText && shown < SHOWN_CHARS ? decoder.decode(part.value, { stream: true }) : '';
    shown += text.length;
    add(text, part.value.byteLength);
  }
}

/** Gateway and forwarder name their share of the time: `gateway;dur=0.3, forwarder;dur=0.4`. */
export function addedMs(serverTiming: string | null): number | null {
  const shares = [...(serverTiming ?? '').matchAll(/\b(?:gateway|forwarder);dur=([\d.]+)/g)].map((match) =>
    Number(match[1]),
  );
  return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0);
}

const brokenWords = ({ status }: Progress, { message }: Error): string =>
  status === null
    ? `No answer came: ${navigator.onLine ? message : 'you are offline'}.`
    : 'The answer broke off before its end.';
