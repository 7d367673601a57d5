import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  answerHandshake,
  deriveHiteSession,
  HITE_SESSION_MS,
  HiteError,
  type HiteErrorCode,
  HiteResponseSealer,
  openHiteRequest,
} from '../src/index.ts';
import { deriveHiteClientSession, openHiteAnswer, sealHiteClientRequest } from '../src/web/index.ts';
import { collected } from './collected.ts';

const SECRET = randomBytes(32).toString('hex');
const NOW = 1_740_499_200_000;
const handshake = answerHandshake(randomBytes(32).toString('hex'), NOW);
const server = await deriveHiteSession(SECRET, handshake);
const client = await deriveHiteClientSession(SECRET, {
  sessionId: handshake.sessionId,
  clientNonce: Uint8Array.from(handshake.clientNonce),
  serverNonce: Uint8Array.from(handshake.serverNonce),
});

describe('a HITE client on WebCrypto', () => {
  it('seals requests that the server opens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.nat(), async (text, counter) => {
        const frame = await sealHiteClientRequest(client, counter, Uint8Array.from(text));
        const opened = openHiteRequest(server, frame, NOW + HITE_SESSION_MS - 1);
        expect([opened.counter, opened.plaintext.equals(text)]).toEqual([counter, true]);
      }),
    );
  });

  it('opens answers that the server seals, however the network cuts them', async () => {
    const wire = answer(5, ['one', 'two']);

    for (const step of [1, 3, 50, wire.length]) {
      const pieces = Array.from({ length: Math.ceil(wire.length / step) }, (_x, i) =>
        wire.subarray(i * step, (i + 1) * step),
      );
      const parts = await collected(openHiteAnswer(client, 5, pieces));
      expect(parts.map(({ kind, payload }) => [kind, Buffer.from(payload).toString()])).toEqual([
        ['head', '{"status":200,"headers":[]}'],
        ['data', 'one'],
        ['data', 'two'],
        ['end', ''],
      ]);
    }
  });

  it('refuses an answer after any single-bit change, or to another request', async () => {
    const wire = answer(5, ['body']);

    for (let bit = 0; bit < 8 * wire.length; bit += 1) {
      const changed = Buffer.from(wire);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(await code(changed)).toMatch(/^hite_(frame_refused|truncated)$/);
    }
    expect(await code(answer(6, ['body']))).toBe('hite_frame_refused');
    expect(await code(Buffer.concat([wire, Buffer.of(0)]))).toBe('hite_frame_refused');
  });

  it('sees an answer that was cut off, wherever', async () => {
    const wire = answer(5, ['some', 'body']);

    for (let length = 0; length < wire.length; length += 1) {
      expect(await code(wire.subarray(0, length))).toBe('hite_truncated');
    }
  });
});

function answer(requestCounter: number, chunks: string[]): Buffer {
  const sealer = new HiteResponseSealer(server, requestCounter);
  const head = sealer.head(Buffer.from('{"status":200,"headers":[]}'));
  return Buffer.concat([head, ...chunks.map((chunk) => sealer.data(Buffer.from(chunk))), sealer.end()]);
}

async function code(wire: Uint8Array): Promise<HiteErrorCode> {
  try {
    await collected(openHiteAnswer(client, 5, [wire]));
  } catch (err) {
    if (err instanceof HiteError) return err.code;
    throw err;
  }
  throw new Error('it opened');
}
