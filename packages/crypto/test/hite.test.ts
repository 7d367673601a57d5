import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  answerHandshake,
  deriveHiteSession,
  HITE_FRAME_OVERHEAD,
  HITE_MAX_COUNTER,
  HITE_MAX_PART_BYTES,
  HITE_SESSION_MS,
  HiteError,
  type HiteErrorCode,
  type HitePart,
  HiteResponseOpener,
  HiteResponseSealer,
  type HiteSession,
  hiteSecretRefusal,
  hiteStoreKey,
  openHiteRequest,
  openHiteResponse,
  packHiteSession,
  ReplayWindow,
  sealHiteRequest,
  unpackHiteSession,
} from '../src/index.ts';

const SECRET = randomBytes(32).toString('hex');
const NOW = 1_740_499_200_000;
const handshake = answerHandshake(randomBytes(32).toString('hex'), NOW);
const session = await deriveHiteSession(SECRET, handshake);
const other = await deriveHiteSession(SECRET, answerHandshake(randomBytes(32).toString('hex'), NOW));

describe('a HITE session', () => {
  it('has the same keys on both sides, and others with another secret, nonce or direction', async () => {
    const again = await deriveHiteSession(SECRET, handshake);
    const sessions = [
      session,
      other,
      await deriveHiteSession(randomBytes(32).toString('hex'), handshake),
      await deriveHiteSession(SECRET, { ...handshake, clientNonce: randomBytes(32) }),
      await deriveHiteSession(SECRET, { ...handshake, serverNonce: randomBytes(32) }),
    ];

    expect(keysOf(again)).toEqual(keysOf(session));
    expect(new Set(sessions.flatMap(keysOf)).size).toBe(10);
  });

  it('lives for one hour: a frame opens one second before its end and not one second after', () => {
    const frame = sealHiteRequest(session, 0, Buffer.from('x'));

    expect(openHiteRequest(session, frame, NOW + HITE_SESSION_MS - 1_000).counter).toBe(0);
    expect(code(() => openHiteRequest(session, frame, NOW + HITE_SESSION_MS))).toBe('hite_session_unknown');
    expect(code(() => openHiteRequest(session, frame, NOW + HITE_SESSION_MS + 1_000))).toBe(
      'hite_session_unknown',
    );
  });

  it.each(['', 'ff', 'f'.repeat(63), 'f'.repeat(65), 'g'.repeat(64)])(
    'refuses the client nonce "%s"',
    (nonce) => {
      expect(code(() => answerHandshake(nonce, NOW))).toBe('hite_frame_refused');
    },
  );

  it('travels through a store sealed, and opens only under its own id and secret', () => {
    const storeKey = hiteStoreKey(SECRET);
    const packed = packHiteSession(storeKey, session);

    const unpacked = unpackHiteSession(storeKey, session.id, packed);

    expect([unpacked.id, unpacked.expiresAtMs, keysOf(unpacked)]).toEqual([
      session.id,
      session.expiresAtMs,
      keysOf(session),
    ]);
    for (const key of keysOf(session))
      expect(Buffer.from(packed, 'base64url').toString('hex')).not.toContain(key);
    expect(() => unpackHiteSession(storeKey, other.id, packed)).toThrow();
    expect(() => unpackHiteSession(hiteStoreKey('another'), session.id, packed)).toThrow();
    expect(() => unpackHiteSession(storeKey, session.id, packed.slice(4))).toThrow();
    expect(() => unpackHiteSession(storeKey, session.id, '')).toThrow();
  });
});

describe('a HITE request', () => {
  it('opens to what was sealed, with its counter', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.integer({ min: 0, max: HITE_MAX_COUNTER }),
        (text, counter) => {
          const frame = sealHiteRequest(session, counter, text);
          expect(frame).toHaveLength(text.length + HITE_FRAME_OVERHEAD);
          const opened = openHiteRequest(session, frame, NOW);
          expect([opened.counter, opened.plaintext.equals(text)]).toEqual([counter, true]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('does not open after any single-bit change', () => {
    const frame = sealHiteRequest(session, 7, Buffer.from('{"method":"GET","path":"/"}'));

    for (let bit = 0; bit < 8 * frame.length; bit += 1) {
      expect(code(() => openHiteRequest(session, flipped(frame, bit), NOW))).toBe('hite_frame_refused');
    }
  });

  it('does not open when cut to any length, or made longer', () => {
    const frame = sealHiteRequest(session, 7, Buffer.from('{"method":"GET"}'));

    for (let length = 0; length < frame.length; length += 1) {
      expect(code(() => openHiteRequest(session, frame.subarray(0, length), NOW))).toBe('hite_frame_refused');
    }
    expect(code(() => openHiteRequest(session, Buffer.concat([frame, Buffer.of(0)]), NOW))).toBe(
      'hite_frame_refused',
    );
  });

  it('does not open in another session, nor as an answer', () => {
    const frame = sealHiteRequest(session, 0, Buffer.from('x'));
    const mirrored: HiteSession = { ...session, responseKey: session.requestKey };

    expect(code(() => openHiteRequest(other, frame, NOW))).toBe('hite_frame_refused');
    expect(code(() => openHiteRequest({ ...session, id: other.id }, frame, NOW))).toBe('hite_frame_refused');
    expect(code(() => openHiteResponse(session, 0, 0, frame))).toBe('hite_frame_refused');
    expect(code(() => openHiteResponse(mirrored, 0, 0, frame))).toBe('hite_frame_refused');
  });

  it('is not sealed beyond 2^32 frames', () => {
    expect(() => sealHiteRequest(session, HITE_MAX_COUNTER + 1, Buffer.alloc(0))).toThrow(RangeError);
    expect(() => sealHiteRequest(session, -1, Buffer.alloc(0))).toThrow(RangeError);
    expect(() => sealHiteRequest(session, 0.5, Buffer.alloc(0))).toThrow(RangeError);
  });
});

describe('a HITE answer', () => {
  it('opens to what was sealed, however the network cuts it', () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), fc.integer({ min: 1, max: 64 }), (chunks, step) => {
        const wire = answer(3, chunks);
        const opener = new HiteResponseOpener(session, 3);
        const parts: HitePart[] = [];
        for (let at = 0; at < wire.length; at += step)
          parts.push(...opener.push(wire.subarray(at, at + step)));
        opener.finish();
        expect(parts.map((part) => part.kind)).toEqual(['head', ...chunks.map(() => 'data'), 'end']);
        expect(Buffer.concat(parts.slice(1).map((part) => part.payload)).equals(Buffer.concat(chunks))).toBe(
          true,
        );
      }),
    );
  });

  it('sends a long chunk as several frames, and nothing for an empty one', () => {
    const sealer = new HiteResponseSealer(session, 0);
    const opener = new HiteResponseOpener(session, 0);
    opener.push(sealer.head(Buffer.from('{}')));

    const sizes = opener
      .push(sealer.data(Buffer.alloc(HITE_MAX_PART_BYTES + 1)))
      .map((part) => part.payload.length);

    expect(sizes).toEqual([HITE_MAX_PART_BYTES, 1]);
    expect(sealer.data(Buffer.alloc(0))).toHaveLength(0);
  });

  it('is refused when a frame is changed, dropped, repeated, swapped or taken from another answer', () => {
    const frames = framesOf(
      answer(
        3,
        ['a', 'b', 'c'].map((text) => Buffer.from(text)),
      ),
    );
    const [head, a, b, c, end] = frames as [Buffer, Buffer, Buffer, Buffer, Buffer];
    const foreign = framesOf(answer(4, [Buffer.from('a')]))[1]!;
    const bad = [
      [head, a, c, end],
      [a, b, c, end],
      [head, a, a, b, c, end],
      [head, b, a, c, end],
      [head, foreign, b, c, end],
      [head, a, b, c, end, end],
      [head, a, b, c, end, Buffer.of(0)],
      [flipped(head, 8 * 20), a, b, c, end],
    ];

    for (const wire of bad) expect(code(() => openAnswer(3, wire))).toBe('hite_frame_refused');
    expect(code(() => openAnswer(2, frames))).toBe('hite_frame_refused');
  });

  it('is seen to be truncated wherever it ends too early', () => {
    const wire = answer(3, [Buffer.from('some'), Buffer.from('body')]);

    for (let length = 0; length < wire.length; length += 1) {
      expect(code(() => openAnswer(3, [wire.subarray(0, length)]))).toBe('hite_truncated');
    }
  });

  it('is refused after any single-bit change', () => {
    const wire = answer(3, [Buffer.from('some body')]);

    for (let bit = 0; bit < 8 * wire.length; bit += 1) {
      expect(code(() => openAnswer(3, [flipped(wire, bit)]))).toMatch(/^hite_(frame_refused|truncated)$/);
    }
  });

  it('is sealed in order only: head, body, end', () => {
    const sealer = new HiteResponseSealer(session, 0);

    expect(() => sealer.data(Buffer.from('x'))).toThrow('the head is the first frame');
    expect(() => sealer.end()).toThrow('the head is the first frame');
    sealer.head(Buffer.from('{}'));
    expect(() => sealer.head(Buffer.from('{}'))).toThrow('the head is the first frame');
    sealer.end();
    expect(() => sealer.data(Buffer.from('x'))).toThrow('it has ended');
  });
});

describe('HiteError', () => {
  it('says nothing about the cause beyond its code', () => {
    const frame = sealHiteRequest(session, 0, Buffer.from('canary'));
    const causes = [frame.subarray(0, 10), flipped(frame, 0), flipped(frame, 100), flipped(frame, 300)];

    const errors = causes.map((bytes) => thrownBy(() => openHiteRequest(session, bytes, NOW)));

    expect(new Set(errors.map((err) => JSON.stringify([err, err.message]))).size).toBe(1);
  });
});

describe('ReplayWindow', () => {
  it('takes every counter once, in any order within 1,024', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 1_024 }, (_x, i) => i),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(order, (counters) => {
        const window = new ReplayWindow();
        expect(counters.every((counter) => window.accept(counter))).toBe(true);
        expect(counters.some((counter) => window.accept(counter))).toBe(false);
      }),
    );
  });

  it('agrees with a set that remembers everything', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4_000 }), { maxLength: 400 }), (counters) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = -1;
        for (const counter of counters) {
          const fresh = !seen.has(counter) && counter > highest - 1_024;
          expect(window.accept(counter)).toBe(fresh);
          if (fresh) seen.add(counter);
          highest = Math.max(highest, counter);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is 1,024 behind and takes what is 1,023 behind', () => {
    const window = new ReplayWindow();

    expect([window.accept(5_000), window.accept(3_976), window.accept(3_977)]).toEqual([true, false, true]);
  });

  it('remembers nothing of what lies behind a jump', () => {
    const window = new ReplayWindow();
    for (let counter = 0; counter < 1_024; counter += 1) window.accept(counter);

    const after = [7_000, ...Array.from({ length: 1_023 }, (_x, i) => 6_999 - i)];

    expect(after.every((counter) => window.accept(counter))).toBe(true);
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses %d as a counter', (counter) => {
    expect(new ReplayWindow().accept(counter)).toBe(false);
  });
});

describe('hiteSecretRefusal', () => {
  it('takes 32 random bytes or more as hex, base64 and base64url', () => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(hiteSecretRefusal(randomBytes(32).toString(encoding))).toBeUndefined();
      expect(hiteSecretRefusal(randomBytes(64).toString(encoding))).toBeUndefined();
    }
  });

  it.each([
    ['31 bytes', randomBytes(31).toString('hex')],
    ['a passphrase', 'correct horse battery staple and then some more words'],
    ['zeros', '00'.repeat(32)],
    ['a pattern', 'deadbeef'.repeat(8)],
    ['nothing', ''],
  ])('refuses %s and says how to make a good one', (_what, secret) => {
    expect(hiteSecretRefusal(secret)).toMatch(/^must be at least 32 bytes.*openssl rand -hex 32$/);
  });
});

function answer(requestCounter: number, chunks: Uint8Array[]): Buffer {
  const sealer = new HiteResponseSealer(session, requestCounter);
  const head = sealer.head(Buffer.from('{"status":200,"headers":[]}'));
  return Buffer.concat([head, ...chunks.map((chunk) => sealer.data(chunk)), sealer.end()]);
}

function openAnswer(requestCounter: number, wire: Uint8Array[]): void {
  const opener = new HiteResponseOpener(session, requestCounter);
  for (const bytes of wire) opener.push(bytes);
  opener.finish();
}

/** The frames of an answer, each with its length in front. */
function framesOf(wire: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < wire.length; at += frames.at(-1)!.length) {
    frames.push(wire.subarray(at, at + 4 + wire.readUInt32BE(at)));
  }
  return frames;
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

const keysOf = (of: HiteSession): string[] =>
  [of.requestKey, of.responseKey].map((key) => key.export().toString('hex'));

function thrownBy(open: () => unknown): HiteError {
  try {
    open();
  } catch (err) {
    if (err instanceof HiteError) return err;
    throw err;
  }
  throw new Error('it opened');
}

const code = (open: () => unknown): HiteErrorCode => thrownBy(open).code;
