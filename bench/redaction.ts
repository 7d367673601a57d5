import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { LeaseRecipient, sealLease } from '../packages/crypto/src/index.ts';
import { LeasedSecrets } from '../services/forwarder/src/redaction/leased-secrets.ts';
import { redactHeaders } from '../services/forwarder/src/redaction/redact-headers.ts';
import { Redactor } from '../services/forwarder/src/redaction/redactor.ts';
import { ANSWER_HEADERS, COMPLETION, UPSTREAM_KEY } from './messages.ts';

/**
 * What the search for the credential costs: `node bench/redaction.ts`. It prints microseconds per answer and, for bodies,
 * throughput on one core. The same answers without the search cost nothing here: they are handed on as they are.
 */
const ROUNDS = 5;

const recipient = new LeaseRecipient();
const aad = Buffer.from('bench');
const sealed = sealLease(Buffer.from(`Bearer ${UPSTREAM_KEY}`), recipient.publicKey, aad);
const secrets = new LeasedSecrets(recipient.accept(sealed, aad));

/** The best round, in µs: everything else on the machine only adds. */
function best(times: number, run: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begun = performance.now();
    for (let i = 0; i < times; i += 1) run();
    return ((performance.now() - begun) * 1_000) / times;
  });
  return Math.min(...rounds);
}

function report(what: string, micros: number, bytes?: number): void {
  const speed = bytes === undefined ? '' : `${(bytes / micros).toFixed(0)} MB/s`;
  process.stdout.write(`${what.padEnd(58)} ${micros.toFixed(2).padStart(8)} µs  ${speed}\n`);
}

/** The best round of turns of the event loop, in µs: forms are overwritten at the end of the turn. */
async function bestTurn(turns: number, run: () => void): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    for (let i = 0; i < turns; i += 1) {
      run();
      await setImmediate();
    }
    least = Math.min(least, ((performance.now() - begun) * 1_000) / turns);
  }
  return least;
}

const bareTurn = await bestTurn(20_000, () => undefined);
const openingTurn = await bestTurn(20_000, () => {
  secrets.acquire();
  secrets.release();
});
report('opening and wiping the forms (the first of calls in flight)', openingTurn - bareTurn);

const matcher = secrets.acquire()!;
const headers = Object.entries(ANSWER_HEADERS).flat();
report(
  `${headers.length / 2} headers`,
  best(100_000, () => redactHeaders(headers, matcher)),
);

const bodies: [string, Buffer][] = [
  ['a chat completion', Buffer.from(COMPLETION)],
  ['64 KiB of English', Buffer.from(COMPLETION.repeat(80)).subarray(0, 65_536)],
  ['64 KiB of random bytes', randomBytes(65_536)],
  ['64 KiB of what looks like the key', Buffer.from('sk-bench-01234567'.repeat(4_000)).subarray(0, 65_536)],
];
for (const [what, body] of bodies)
  report(
    what,
    best(Math.max(500, 5e7 / body.length), () => void new Redactor(matcher).push(body)),
    body.length,
  );

const event = Buffer.from('data: {"choices":[{"delta":{"content":" fox"}}]}\n\n');
const stream = new Redactor(matcher);
report(
  'an event of a stream',
  best(200_000, () => void stream.push(event)),
  event.length,
);
