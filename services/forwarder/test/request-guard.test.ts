import { Rig } from './rig.ts';
import { Upstream } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;
let id: string;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start(), new Upstream().open()]);
  id = rig.register({ base_url: upstream.url });
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

beforeEach(() => {
  upstream.seen.length = 0;
});

const call = (lines: string[], rest = '/x') => rig.head('GET', id, rest, lines);

describe('a request that means different things to different readers', () => {
  it.each([
    ['two Hosts', () => call(['Host: mesh']), 400],
    ['an empty Host', () => call([]).replace('Host: mesh', 'Host:'), 400],
    ['a Host with a path', () => call([]).replace('Host: mesh', 'Host: mesh/x'), 400],
    ['a Host with a port that there is not', () => call([]).replace('Host: mesh', 'Host: mesh:65536'), 400],
    ['a target that is too long', () => call([], `/${'x'.repeat(8192)}`), 414],
    ['a length that is no number any more', () => call(['Content-Length: 9223372036854775807']), 413],
    ['no version', () => call([]).replace(' HTTP/1.1', ''), 400],
  ])('is refused for %s, and its connection ends', async (_what, text, status) => {
    const answer = await rig.raw(text());

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\r\nConnection: close\r\n`));
    expect(upstream.seen).toEqual([]);
  });

  it('is refused as an upgrade as well', async () => {
    const answer = await rig.raw(call(['Host: other', 'Connection: Upgrade', 'Upgrade: websocket']));

    expect(answer).toMatch(/^HTTP\/1.1 4/);
    expect(upstream.seen).toEqual([]);
  });
});
