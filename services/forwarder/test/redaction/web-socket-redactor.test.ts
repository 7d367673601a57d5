import fc from 'fast-check';
import { formsOf } from '../../src/redaction/forms.ts';
import { buildTable, Matcher } from '../../src/redaction/matcher.ts';
import { WebSocketRedactor } from '../../src/redaction/web-socket-redactor.ts';

const SECRET = 'sk-live-5f2b9c7e41d8a6';
const HIDDEN = `[redacted]${'*'.repeat(SECRET.length - 10)}`;
const TEXT = 1;
const CONTINUATION = 0;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** A server's frame (RFC 6455 section 5.2). */
function frame(opcode: number, payload: string, isFinal = true): Buffer {
  const body = Buffer.from(payload);
  const first = (isFinal ? 0x80 : 0) | opcode;
  if (body.length < 126) return Buffer.concat([Buffer.of(first, body.length), body]);
  const long = Buffer.alloc(body.length < 65_536 ? 4 : 10);
  long[0] = first;
  long[1] = long.length === 4 ? 126 : 127;
  if (long.length === 4) long.writeUInt16BE(body.length, 2);
  else long.writeBigUInt64BE(BigInt(body.length), 2);
  return Buffer.concat([long, body]);
}

const open = () => new WebSocketRedactor(new Matcher(buildTable(formsOf(Buffer.from(SECRET)))));

function run(data: Buffer, size = data.length): Buffer {
  const redactor = open();
  const out: Buffer[] = [];
  for (let at = 0; at < data.length; at += size) out.push(redactor.push(data.subarray(at, at + size)));
  return Buffer.concat(out);
}

describe('WebSocketRedactor', () => {
  const conversation = [
    frame(TEXT, `key: ${SECRET}!`),
    frame(PING, 'sk-li'),
    frame(TEXT, 'x'.repeat(300) + SECRET),
    frame(TEXT, 'sk-live-5f2b', false),
    frame(PING, 'are you there'),
    frame(CONTINUATION, '9c7e41', false),
    frame(CONTINUATION, 'd8a6 and on', false),
    frame(CONTINUATION, ''),
    frame(TEXT, `${'y'.repeat(70_000)}${SECRET}`),
    frame(TEXT, 'sk-live-5f2b'),
    frame(TEXT, '9c7e41d8a6 belongs to another message'),
    frame(PING, `are you ${SECRET}?`),
    frame(TEXT, 'sk-live-5f2b', false),
    frame(PING, SECRET),
    frame(PONG, ''),
    frame(CONTINUATION, 'x'),
    frame(CLOSE, `\x03\xe8no such key: ${SECRET}`),
  ];
  const hidden = [
    frame(TEXT, `key: ${HIDDEN}!`),
    frame(PING, 'sk-li'),
    frame(TEXT, 'x'.repeat(300) + HIDDEN),
    frame(TEXT, HIDDEN.slice(0, 12), false),
    frame(PING, 'are you there'),
    frame(CONTINUATION, HIDDEN.slice(12, 18), false),
    frame(CONTINUATION, `${HIDDEN.slice(18)} and on`, false),
    frame(CONTINUATION, ''),
    frame(TEXT, `${'y'.repeat(70_000)}${HIDDEN}`),
    frame(TEXT, 'sk-live-5f2b'),
    frame(TEXT, '9c7e41d8a6 belongs to another message'),
    frame(PING, `are you ${HIDDEN}?`),
    frame(TEXT, 'sk-live-5f2b', false),
    frame(PING, HIDDEN),
    frame(PONG, ''),
    frame(CONTINUATION, 'x'),
    frame(CLOSE, `\x03\xe8no such key: ${HIDDEN}`),
  ];

  it.each([1, 2, 3, 5, 7, 64, 1_000, 100_000])(
    'hides the secret in messages that come %i bytes at a time',
    (size) => {
      expect(run(Buffer.concat(conversation), size).equals(Buffer.concat(hidden))).toBe(true);
    },
  );

  it('hides it in a reason for closing', () => {
    const reason = `\x03\xe8no such key: ${SECRET}`;

    expect(run(frame(CLOSE, reason)).equals(frame(CLOSE, reason.replace(SECRET, HIDDEN)))).toBe(true);
  });

  it('passes frames without the secret unchanged, whatever they are', () => {
    const frames = fc.array(
      fc
        .tuple(fc.constantFrom(TEXT, 2, PING, PONG), fc.string({ maxLength: 120 }))
        .map(([op, text]) => frame(op, text)),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 50 }), (all, size) => {
        const data = Buffer.concat(all);
        expect(run(data, size).equals(data)).toBe(true);
      }),
    );
  });

  it('hands on a message as soon as it has come whole', () => {
    const redactor = open();
    expect(
      redactor.push(frame(TEXT, 'this ends like sk-li')).equals(frame(TEXT, 'this ends like sk-li')),
    ).toBe(true);
  });

  it.each([
    ['a masked frame', Buffer.of(0x81, 0x81, 1, 2, 3, 4, 5)],
    ['a long control frame', frame(PING, 'x'.repeat(126))],
    ['a control frame in parts', frame(CLOSE, 'x', false)],
    ['an impossible length', Buffer.from('827fffffffffffffffff', 'hex')],
    [
      'frames without end inside one message',
      Buffer.concat([frame(TEXT, 'sk-', false), ...Array.from({ length: 600 }, () => frame(PING, 'x'))]),
    ],
  ])('refuses %s', (_what, data) => {
    expect(() => open().push(data)).toThrow(RangeError);
  });
});
