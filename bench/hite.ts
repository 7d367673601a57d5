// The HITE channel: what opening and sealing cost, what a sealed call costs beside a plain one, and what a flood of handshakes does
// to everybody else's calls.
//
//   node bench/hite.ts                  about 20 seconds
//   node bench/hite.ts --seconds 20     longer visits
//
// Needs Linux and taskset. The gateway runs as its own process on processor 0, the client, this process, on processor 1; its calls
// are answered by the gateway itself, so that nothing else is measured. Prints Markdown tables.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NODE_FLAGS } from '../dev/runtime.ts';
import {
  answerHandshake,
  deriveHiteSession,
  HiteResponseSealer,
  type HiteSession,
  openHiteRequest,
  sealHiteRequest,
} from '../packages/crypto/src/index.ts';
import { familyOf, machineName, usageOf } from './proc.ts';
import { freePorts, pin, startProcess, stopAllProcesses } from './processes.ts';
import { quantile } from './stats.ts';

const SIZES = [1_024, 65_536, 1_048_576, 8_000_000];
const PATH = '/ready';
const CONNECTIONS = 16;
/** Handshakes that are always under way during the flood: the queue of the gateway is never empty. */
const FLOOD = 60;
const SECRET = randomBytes(32).toString('hex');

interface Question {
  path: string;
  method: string;
  headers: Record<string, string>;
  body?: Buffer;
}

interface Visit {
  millis: number[];
  perSecond: number;
  cpuUs: number;
}

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } });
const seconds = Number(options.seconds);
let address = 0;

try {
  say(`${machineName()}, Node ${process.versions.node}, visits of ${seconds} s\n`);
  await showCrypto();
  pin([process.pid], '1');
  const { port, pids } = await startGateway();
  await showCalls(port, pids);
} finally {
  await stopAllProcesses();
}

/** What the event loop stands still for: one frame opened, one chunk sealed. */
async function showCrypto(): Promise<void> {
  const session = await deriveHiteSession(
    SECRET,
    answerHandshake(randomBytes(32).toString('hex'), Date.now()),
  );
  say('| bytes | open a frame, µs | seal a chunk, µs |');
  say('|---:|---:|---:|');
  for (const bytes of SIZES) {
    const frame = sealHiteRequest(session, 0, randomBytes(bytes));
    const chunk = randomBytes(bytes);
    const opened = medianUs(() => openHiteRequest(session, frame, Date.now()));
    const sealer = new HiteResponseSealer(session, 0);
    sealer.head(Buffer.from('{}'));
    const sealed = medianUs(() => sealer.data(chunk));
    say(`| ${bytes.toLocaleString('en')} | ${opened} | ${sealed} |`);
  }
  say('');
}

function medianUs(work: () => unknown): string {
  const times: number[] = [];
  for (const end = performance.now() + 300; performance.now() < end; ) {
    const begun = performance.now();
    work();
    times.push((performance.now() - begun) * 1000);
  }
  return quantile(times, 0.5).toFixed(1);
}

async function startGateway(): Promise<{ port: number; pids: number[] }> {
  const [port] = (await freePorts(1)) as [number];
  const random = () => randomBytes(32).toString('hex');
  const child = await startProcess({
    command: [
      process.execPath,
      ...NODE_FLAGS,
      fileURLToPath(new URL('../services/gateway/src/main.ts', import.meta.url)),
    ],
    env: {
      GATEWAY_PORT: `${port}`,
      ZEQ_HITE_SECRET: SECRET,
      ZEQ_INTERNAL_SECRET: random(),
      JWT_SECRET: random(),
      ZEQ_API_KEYS: random(),
      ZEQ_ADMIN_KEYS: random(),
      RATE_LIMIT_RPM: '1000000000',
      ZEQ_TRUSTED_PROXIES: '127.0.0.1', // so that the flood can come from many addresses
    },
    cpus: '0',
    port,
  });
  return { port, pids: familyOf(child.pid!) };
}

async function showCalls(port: number, pids: readonly number[]): Promise<void> {
  const plain = (): Question => ({ path: PATH, method: 'GET', headers: {} });
  const sealed = sealedQuestions(await beginSession(port));
  const quiet = async (ask: () => Question, forSeconds = seconds) =>
    visit(port, pids, ask, CONNECTIONS, forSeconds);
  await quiet(plain, 1); // compiled by then
  await quiet(sealed, 1);
  say('| what | answers/s | p50, ms | p99, ms | gateway CPU per answer, µs |');
  say('|---|---:|---:|---:|---:|');
  show('plain', await quiet(plain));
  show('in the channel', await quiet(sealed));
  const [beside, handshakes] = await Promise.all([
    visit(port, pids, plain, 1, seconds),
    visit(port, pids, handshake, FLOOD, seconds),
  ]);
  show('handshakes, as many as the queue takes', handshakes);
  show('plain, one at a time, beside them', beside);
}

async function beginSession(port: number): Promise<HiteSession> {
  const question = handshake();
  const { clientNonce } = JSON.parse(String(question.body));
  const answer = JSON.parse(await ask(new Agent(), port, question));
  return deriveHiteSession(SECRET, {
    sessionId: answer.sessionId,
    clientNonce: Buffer.from(clientNonce, 'hex'),
    serverNonce: Buffer.from(answer.serverNonce, 'hex'),
    expiresAtMs: Date.parse(answer.expiresAt),
  });
}

/** Every one from an address of its own: an address has only a few in a minute. */
function handshake(): Question {
  address += 1;
  const from = `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}`;
  return {
    path: '/api/hite/handshake',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
    body: Buffer.from(JSON.stringify({ clientNonce: randomBytes(32).toString('hex') })),
  };
}

function sealedQuestions(session: HiteSession): () => Question {
  const inner = Buffer.from(JSON.stringify({ method: 'GET', path: PATH, headers: {} }));
  let counter = 0;
  return () => ({
    path: '/api/hite/channel',
    method: 'POST',
    headers: { 'content-type': 'application/x-zeq-hite', 'x-hite-session': session.id },
    body: sealHiteRequest(session, counter++, inner),
  });
}

/** Keeps some connections busy for some seconds. @throws Error at an answer that is neither good nor `overloaded`. */
async function visit(
  port: number,
  pids: readonly number[],
  next: () => Question,
  connections: number,
  forSeconds: number,
): Promise<Visit> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const millis: number[] = [];
  const cpuBefore = usageOf(pids).cpuUs;
  const startedAt = performance.now();
  const end = startedAt + forSeconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        const sentAt = performance.now();
        await ask(agent, port, next());
        millis.push(performance.now() - sentAt);
      }
    }),
  );
  const elapsed = performance.now() - startedAt;
  agent.destroy();
  const cpuUs = (usageOf(pids).cpuUs - cpuBefore) / millis.length;
  return { millis, perSecond: (millis.length / elapsed) * 1000, cpuUs };
}

async function ask(agent: Agent, port: number, { path, method, headers, body }: Question): Promise<string> {
  const length = body === undefined ? {} : { 'content-length': body.length };
  const req = request({ agent, host: '127.0.0.1', port, path, method, headers: { ...headers, ...length } });
  req.end(body);
  const [res] = await once(req, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk);
  const isGood = res.statusCode === 200 || (path === PATH && res.statusCode === 503); // not ready: no vault
  if (!isGood) throw new Error(`${path} answered ${res.statusCode}: ${Buffer.concat(chunks)}`);
  return Buffer.concat(chunks).toString();
}

function show(what: string, { millis, perSecond, cpuUs }: Visit): void {
  const cells = [
    what,
    Math.round(perSecond).toLocaleString('en'),
    quantile(millis, 0.5).toFixed(2),
    quantile(millis, 0.99).toFixed(2),
    Math.round(cpuUs).toLocaleString('en'),
  ];
  say(`| ${cells.join(' | ')} |`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
