import { AnswerError, AnswerParser } from '../src/link/answer-parser.ts';

interface Heard {
  status: number;
  raw: string[];
  length: number;
  body: string;
  reusable: boolean | undefined;
}

/** Feeds an answer in pieces of so many bytes. */
function read(text: string, { method = 'GET', step = text.length, close = false } = {}): Heard {
  const heard: Heard = { status: 0, raw: [], length: 0, body: '', reusable: undefined };
  const parser = new AnswerParser({
    onHead: (status, raw, length) => void Object.assign(heard, { status, raw, length }),
    onData: (chunk) => {
      heard.body += chunk.toString('latin1');
    },
    onEnd: (reusable) => {
      heard.reusable = reusable;
    },
  });
  parser.expect(method);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += step) parser.feed(bytes.subarray(at, at + step));
  if (close) parser.close();
  return heard;
}

const COUNTED = 'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n';

describe('AnswerParser', () => {
  it.each([1, 2, 3, 7, 1000])('reads a counted body in pieces of %i bytes', (step) => {
    expect(read(COUNTED, { step })).toEqual({
      status: 200,
      raw: ['A', 'b', 'Content-Length', '5'],
      length: 5,
      body: 'hello',
      reusable: true,
    });
  });

  it.each([1, 2, 3, 7, 1000])('reads chunks in pieces of %i bytes and leaves the trailer behind', (step) => {
    expect(read(CHUNKED, { step })).toMatchObject({
      status: 200,
      length: -1,
      body: 'hello!',
      reusable: true,
    });
  });

  it.each([
    ['a HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HEAD'],
    ['a 204', 'HTTP/1.1 204 No Content\r\n\r\n', 'GET'],
    ['a 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', 'GET'],
    ['a length of zero', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'GET'],
  ])('expects no body after %s', (_name, text, method) => {
    expect(read(text, { method })).toMatchObject({ body: '', reusable: true });
  });

  it('takes what comes until the end when nothing says how long it is, and does not use the connection again', () => {
    const heard = read('HTTP/1.1 200 OK\r\n\r\nall of it', { close: true });

    expect(heard).toMatchObject({ length: -1, body: 'all of it', reusable: false });
  });

  it.each([
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx'],
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx'],
  ])('does not use a connection again after %s', (_name, text) => {
    expect(read(text).reusable).toBe(false);
  });

  it('passes over interim answers', () => {
    expect(read(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${COUNTED}`)).toMatchObject({
      status: 200,
      body: 'hello',
    });
  });

  it.each([
    ['a status of three zeros', 'HTTP/1.1 000 X\r\n\r\n'],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    ['HTTP/2 in text', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a length in hex', 'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n'],
    ['a length beyond exact numbers', `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(19)}\r\n\r\n`],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['two codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a line without a name', 'HTTP/1.1 200 OK\r\n: v\r\n\r\n'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a bare line feed in the head', 'HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n'],
    ['a chunk longer than it said', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n'],
    [
      'a bare line feed after a chunk size',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n',
    ],
    ['bytes behind the answer', `${COUNTED}x`],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(30_000)}`],
    [
      'a chunk line without an end',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2000)}`,
    ],
  ])('refuses %s', (_name, text) => {
    expect(() => read(text)).toThrow(AnswerError);
  });

  it.each([COUNTED, CHUNKED])('refuses an answer cut short at any byte', (text) => {
    for (let end = 1; end < text.length; end += 1)
      expect(() => read(text.slice(0, end), { close: true })).toThrow(
        'the connection ended within an answer',
      );
  });
});
