// The published list of hostile requests, sent as raw bytes over TLS to the edge with a stand-in for the gateway behind it.
import { readFileSync } from 'node:fs';
import { type Backend, type SeenRequest, startBackend } from './backend.ts';
import { type Edge, startEdge } from './edge.ts';
import { type Part, type RawAnswer, sendRaw } from './raw-client.ts';

const FILE = new URL('../../services/gateway/test/vectors/http-hostile.json', import.meta.url);

interface Case {
  id: string;
  target: 'nginx' | 'gateway' | 'any';
  raw?: string;
  generator?: { parts: Part[]; connections?: number };
  expect: {
    status: string;
    close?: boolean;
    max_requests?: number;
    must_not_reach?: string;
    must_not_status?: string;
    same_body?: string;
    upstream_must_not_have?: string[];
    responses?: number;
    gateway_must_reject?: true;
  };
  why: string;
}

/**
 * Those that the edge has to pass by itself. What is the gateway's to judge is played with the real one behind the edge:
 * e2e/test/hostile.ci.test.ts. Ten thousand connections at once: edge.ci.test.ts.
 */
const CASES = (JSON.parse(readFileSync(FILE, 'utf8')) as Case[]).filter(
  ({ target, generator }) => target !== 'gateway' && generator?.connections === undefined,
);

const KEY = 'zsm_0123456789abcdef0123456789abcdef';
/** What is left for the gateway to say no to: nginx 1.22 sees only the first of two equal names. */
const LEFT_TO_THE_GATEWAY = new Set(['header-syntax/dup-api-key', 'header-syntax/underscore-api-key']);
/** The slow cases last as long as the timeouts that end them, so all cases are sent at the same time. */
const LONGEST_MS = 240_000;

describe('a hostile request at the edge', () => {
  let backend: Backend;
  let edge: Edge;
  const answers = new Map<string, Promise<RawAnswer>>();

  beforeAll(async () => {
    backend = await startBackend();
    edge = await startEdge(backend.port);
    CASES.forEach((hostile, index) => {
      const answer = send(hostile, index);
      answer.catch(() => undefined); // reported by the test that awaits it
      answers.set(hostile.id, answer);
    });
  }, 30_000);

  afterAll(async () => {
    await edge?.stop();
    await backend?.stop();
  });

  const addressOf = (index: number) => `127.1.${Math.floor(index / 200)}.${(index % 200) + 1}`;

  function send({ id, raw, generator, expect: wanted }: Case, index: number): Promise<RawAnswer> {
    const parts = (raw === undefined ? generator!.parts : [{ text: raw }]).map((part) => ({
      ...part,
      ...(part.text !== undefined && { text: fill(part.text) }),
    }));
    const tls = id !== 'request-line/tls-hello-on-plain-port';
    // what has to come is waited for, however busy the machine is
    const waitMs = wanted.status.includes('timeout') ? undefined : 60_000;
    const settleMs = wanted.close === true ? 10_000 : undefined;
    return sendRaw(
      { port: tls ? edge.https : edge.http, tls, from: addressOf(index) },
      parts,
      waitMs,
      settleMs,
    );
  }

  const fill = (text: string) => text.replaceAll('{{KEY}}', KEY).replaceAll('{{N}}', '7');

  it.each(CASES.map((hostile, index) => [hostile.id, hostile, index] as const))(
    '%s',
    async (id, { expect: wanted }, index) => {
      const answer = await answers.get(id)!;
      const seen = backend.seenFrom(addressOf(index));

      expect(LEFT_TO_THE_GATEWAY.has(id) ? [] : complaints(wanted, answer)).toEqual([]);
      expect(seen.length).toBeLessThanOrEqual(wanted.max_requests ?? Number.POSITIVE_INFINITY);
      expect(seen.filter(({ url }) => url === wanted.must_not_reach)).toEqual([]);
      if (wanted.same_body !== undefined && seen.length > 0) expect(seen[0]!.body).toBe(wanted.same_body);
      expect(leaks(wanted.upstream_must_not_have ?? [], seen)).toEqual([]);
    },
    LONGEST_MS,
  );

  it('hands the gateway both of two X-API-Key lines, so that it can refuse them', () => {
    const index = CASES.findIndex(({ id }) => id === 'header-syntax/dup-api-key');
    const [request] = backend.seenFrom(addressOf(index));

    expect(request!.rawHeaders.filter((name) => name.toLowerCase() === 'x-api-key')).toHaveLength(2);
  });

  it('does not hand on a name with an underscore, which some servers read as a dash', () => {
    const index = CASES.findIndex(({ id }) => id === 'header-syntax/underscore-api-key');
    const [request] = backend.seenFrom(addressOf(index));

    expect(request!.rawHeaders.join('\n')).not.toContain(KEY);
  });
});

/** What of the answer is not as the case wants it. */
function complaints(wanted: Case['expect'], { statuses, interim, closed }: RawAnswer): string[] {
  const outcome = statuses.length > 0 ? statuses.map(String) : [closed ? 'close' : 'timeout'];
  const wrong = outcome.filter((status) => !matches(status, wanted.status, interim));
  return [
    ...wrong.map((status) => `answered ${status}, wanted ${wanted.status}`),
    ...(wanted.close === true && !closed ? ['the connection stayed open'] : []),
    ...(interim
      .concat(statuses)
      .map(String)
      .includes(wanted.must_not_status ?? '')
      ? [`answered ${wanted.must_not_status}`]
      : []),
    ...(wanted.responses !== undefined && statuses.length !== wanted.responses
      ? [`${statuses.length} answers, wanted ${wanted.responses}`]
      : []),
  ];
}

/** `400|5xx|close`; an interim 100 also satisfies a case that names it. */
function matches(status: string, wanted: string, interim: number[]): boolean {
  return wanted
    .split('|')
    .some(
      (pattern) =>
        pattern === status ||
        (pattern.endsWith('xx') && status.length === 3 && status[0] === pattern[0]) ||
        interim.map(String).includes(pattern),
    );
}

const leaks = (forbidden: string[], seen: SeenRequest[]) =>
  forbidden.filter((text) =>
    seen.some(({ rawHeaders }) =>
      rawHeaders
        .flatMap((value, i) => (i % 2 === 0 ? [`${value}: ${rawHeaders[i + 1]}`.toLowerCase()] : []))
        .some((line) => line.startsWith(text)),
    ),
  );
