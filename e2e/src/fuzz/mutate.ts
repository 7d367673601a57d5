import type { Random } from './random.ts';

const MAX_CHANGES = 6;
/** Longer inputs are cut: what a limit does to size has its own tests. */
const MAX_BYTES = 64 * 1024;
const BYTES = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x3b, 0x7f, 0x80, 0xff];
const PIECES = [
  '\r\n',
  '\r\n\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 18446744073709551616\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close, content-length\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  '0\r\n\r\n',
  'ffffffffffffffff\r\n',
  'HTTP/1.1 200 OK\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
].map((piece) => Buffer.from(piece, 'latin1'));

type Change = (input: Buffer, corpus: readonly Buffer[], random: Random) => Buffer;

/** Changes an input in up to six places; sometimes in none, so that the inputs themselves are seen as well. */
export function mutate(input: Buffer, corpus: readonly Buffer[], random: Random): Buffer {
  let bytes = input;
  for (let left = random.below(MAX_CHANGES + 1); left > 0; left -= 1)
    bytes = random.pick(CHANGES)(bytes, corpus, random).subarray(0, MAX_BYTES);
  return bytes;
}

const CHANGES: readonly Change[] = [
  function flipBit(input, _corpus, random) {
    const bytes = Buffer.from(input);
    const at = random.below(bytes.length);
    if (bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << random.below(8));
    return bytes;
  },
  function setByte(input, _corpus, random) {
    const bytes = Buffer.from(input);
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick(BYTES);
    return bytes;
  },
  function insertPiece(input, _corpus, random) {
    return insert(input, random.below(input.length + 1), random.pick(PIECES));
  },
  function removeRange(input, _corpus, random) {
    const [start, end] = rangeIn(input, random);
    return Buffer.concat([input.subarray(0, start), input.subarray(end)]);
  },
  function repeatRange(input, _corpus, random) {
    const [start, end] = rangeIn(input, random);
    const copies = Array.from({ length: 1 + random.below(8) }, () => input.subarray(start, end));
    return insert(input, end, Buffer.concat(copies));
  },
  function splice(input, corpus, random) {
    const other = random.pick(corpus);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
];

const insert = (input: Buffer, at: number, piece: Buffer): Buffer =>
  Buffer.concat([input.subarray(0, at), piece, input.subarray(at)]);

function rangeIn(input: Buffer, random: Random): [number, number] {
  const start = random.below(input.length + 1);
  return [start, Math.min(input.length, start + random.below(64))];
}
