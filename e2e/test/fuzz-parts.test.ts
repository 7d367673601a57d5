import { type FuzzReport, judge, judgeClean, type Strange } from '../src/fuzz/judge.ts';
import { mutate } from '../src/fuzz/mutate.ts';
import { Random } from '../src/fuzz/random.ts';

const empty = (): FuzzReport => ({ rounds: 0, statuses: {}, findings: [], memory: {} });
const strange = (side: Strange['side']): Strange => ({ round: 7, side, input: Buffer.from('x') });

describe('the judge of the fuzzer', () => {
  it.each<[string, Strange['side'], boolean]>([
    ['HTTP/1.1 200 OK\r\n\r\n', 'request', false],
    ['HTTP/1.1 400 Bad Request\r\nX-Zeq-Error: bad_request\r\n\r\n', 'request', false],
    ['HTTP/1.1 501 Not Implemented\r\nX-Zeq-Error: not_implemented\r\n\r\n', 'request', false],
    ['HTTP/1.1 502 Bad Gateway\r\nx-zeq-error: upstream_invalid\r\n\r\n', 'answer', false],
    ['HTTP/1.1 500 Oops\r\n\r\n', 'answer', false],
    ['HTTP/1.1 500 Oops\r\n\r\n', 'request', true],
    ['HTTP/1.1 500 Internal\r\nX-Zeq-Error: internal\r\n\r\n', 'request', true],
    ['HTTP/1.1 500 Internal\r\nX-Zeq-Error: internal\r\n\r\n', 'answer', true],
    ['HTTP/1.1 503 Away\r\nDate: x\r\nX-Zeq-Error: service_unavailable\r\n\r\n', 'answer', true],
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 I\r\nX-Zeq-Error: internal\r\n\r\n',
      'request',
      true,
    ],
  ])('of %j after a strange %s finds a fault: %s', (text, side, isFault) => {
    const report = empty();

    judge(text, strange(side), report);

    expect(report.findings.length > 0).toBe(isFault);
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n/clean/7', false],
    ['HTTP/1.1 200 OK\r\n\r\n/clean/8', true],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n/clean/7', true],
    ['HTTP/1.1 200 OK\r\n\r\nsomebody else’s/clean/7', true],
    ['', true],
  ])('of %j as the next answer finds a fault: %s', (text, isFault) => {
    const report = empty();

    judgeClean(text, '/clean/7', strange('request'), report);

    expect(report.findings.length > 0).toBe(isFault);
  });
});

describe('mutations', () => {
  const corpus = ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '', 'x'].map((text) => Buffer.from(text));
  const inputs = (seed: number) =>
    Array.from({ length: 500 }, (_, round) => {
      const random = new Random(seed, round);
      return mutate(random.pick(corpus), corpus, random).toString('latin1');
    });

  it('follow from seed and round alone', () => {
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(1)).not.toEqual(inputs(2));
  });

  it('are many different ones, and leave their corpus as it was', () => {
    const before = corpus.map(String);

    expect(new Set(inputs(3)).size).toBeGreaterThan(250);
    expect(corpus.map(String)).toEqual(before);
  });
});
