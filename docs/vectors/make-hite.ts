// Writes hite.json. Everything in it follows from fixed inputs, so a second run changes nothing:
//   node docs/vectors/make-hite.ts
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { bigEndian } from '../../packages/crypto/src/encoding.ts';
import {
  deriveHiteSession,
  gcmSeal,
  HITE_PART,
  type HitePartKind,
  lengthPrefixed,
  openHiteRequest,
  ReplayWindow,
} from '../../packages/crypto/src/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string, length = 32) =>
  createHash('shake256', { outputLength: length }).update(text).digest();

const secret = hex(bytesOf('a sample HITE secret for test vectors, never use it'));
const handshake = {
  sessionId: hex(bytesOf('session id', 16)),
  clientNonce: bytesOf('client nonce'),
  serverNonce: bytesOf('server nonce'),
  expiresAtMs: 1_740_502_800_000,
};
const session = await deriveHiteSession(secret, handshake);

/** A frame with an IV that is not random, so that the file is the same every time. */
function frameOf(key: typeof session.requestKey, counter: number, aad: Uint8Array, plaintext: Uint8Array) {
  const iv = bytesOf(`iv ${hex(aad)}`, 12);
  const sealed = gcmSeal(key, iv, aad, plaintext);
  const end = sealed.length - 16;
  return Buffer.concat([bigEndian(counter, 8), iv, sealed.subarray(end), sealed.subarray(0, end)]);
}

const requests = [
  { counter: 0, inner: { method: 'GET', path: '/health', headers: {} } },
  {
    counter: 4_294_967_295,
    inner: {
      method: 'POST',
      path: '/api/zeq/apis/älice?x=1',
      headers: { authorization: 'Bearer zsm_sample' },
      body: Buffer.from('{"name":"openai"}').toString('base64'),
    },
  },
].map(({ counter, inner }) => {
  const plaintext = JSON.stringify(inner);
  const aad = lengthPrefixed('zeq/hite/request/v1', session.id, bigEndian(counter, 8));
  const frame = frameOf(session.requestKey, counter, aad, Buffer.from(plaintext));
  openHiteRequest(session, frame, 0);
  return { counter, plaintext, aad: hex(aad), frame: hex(frame) };
});

type Part = [kind: HitePartKind, payload: string];

function answerOf(requestCounter: number, parts: Part[]) {
  const frames = parts.map(([kind, payload], index) => {
    const place = [bigEndian(requestCounter, 8), bigEndian(index, 8)];
    const aad = lengthPrefixed('zeq/hite/response/v1', session.id, ...place);
    const plaintext = Buffer.concat([Buffer.of(HITE_PART[kind]), Buffer.from(payload)]);
    const frame = frameOf(session.responseKey, index, aad, plaintext);
    return { kind, payload, aad: hex(aad), frame: hex(Buffer.concat([bigEndian(frame.length, 4), frame])) };
  });
  return { request_counter: requestCounter, frames, wire: frames.map(({ frame }) => frame).join('') };
}

const HEAD: Part = ['head', '{"status":200,"headers":[["content-type","text/event-stream"]]}'];
const answers = [
  answerOf(0, [HEAD, ['data', 'data: one\n\n'], ['data', 'data: zwei ä\n\n'], ['end', '']]),
  answerOf(7, [
    ['head', '{"status":204,"headers":[]}'],
    ['end', ''],
  ]),
];

/** Answers to request 0 that a reader must not take as whole, and what it says. */
const [head, one, two, end] = answers[0]!.frames.map(({ frame }) => frame) as [
  string,
  string,
  string,
  string,
];
const flip = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
const refused = [
  { what: 'a chunk swapped', wire: head + two + one + end, fault: 'refused' },
  { what: 'a chunk repeated', wire: head + one + one + two + end, fault: 'refused' },
  { what: 'a chunk dropped', wire: head + two + end, fault: 'refused' },
  { what: 'a chunk changed', wire: head + flip(one, one.length - 1) + two + end, fault: 'refused' },
  { what: 'a tag changed', wire: head + flip(one, 8 + 16 + 24 + 3) + two + end, fault: 'refused' },
  { what: 'another answer', wire: answers[1]!.wire, fault: 'refused' },
  { what: 'the end of another answer', wire: head + answers[1]!.frames[1]!.frame, fault: 'refused' },
  { what: 'bytes after the end', wire: `${head + one + two + end}00`, fault: 'refused' },
  { what: 'no end', wire: head + one + two, fault: 'truncated' },
  { what: 'half a chunk', wire: head + one.slice(0, 60), fault: 'truncated' },
  { what: 'nothing', wire: '', fault: 'truncated' },
];

const replay = new ReplayWindow();
const window = [0, 0, 2, 1, 1, 1_024, 0, 1, 2, 5_000, 3_976, 3_977, 3_977, 4_999, 5_000, 5_001].map(
  (counter) => ({
    counter,
    taken: replay.accept(counter),
  }),
);

const vectors = {
  session: {
    secret,
    session_id: session.id,
    client_nonce: hex(handshake.clientNonce),
    server_nonce: hex(handshake.serverNonce),
    request_key: hex(session.requestKey.export()),
    response_key: hex(session.responseKey.export()),
  },
  requests,
  answers,
  refused,
  window,
};
writeFileSync(new URL('hite.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
