import { type Rig, startRig } from './kit/gateway.ts';
import { hostileCases, partsOf, violations } from './kit/hostile-cases.ts';
import { owner, type Person } from './kit/people.ts';
import { play } from './kit/raw-http.ts';

/** Long enough for the slowest: a keep-alive connection that lies idle for 75 s. */
const PATIENCE_MS = 30_000;
const LARGE_BYTES = 10 * 1024 * 1024;

const cases = hostileCases().filter(
  ({ id, category }) => category === 'slow' || id === 'expect/expect-then-no-body',
);

describe('hostile requests that take their time', () => {
  let rig: Rig;
  let alice: Person;
  beforeAll(async () => {
    rig = await startRig({ env: { DOMAIN: 'gateway.example.com' } });
    alice = rig.register.add(owner('alice'));
    rig.forwarder.answer = (req, res) => {
      if (!req.url?.includes('large')) return void res.end('ok');
      res.writeHead(200, { 'content-length': LARGE_BYTES });
      res.end(Buffer.alloc(LARGE_BYTES));
    };
  });
  afterAll(() => rig.stop());

  it('are all ended by a timeout, and none of them is served', async () => {
    const outcomes = await Promise.all(
      cases.map(async (one) => {
        const call = (rest: string) => `/api/zeq/apis/alice/sample/forward/${rest}?key=${alice.token}`;
        const hasBody = /body|expect/.test(one.id);
        const echo = hasBody ? `/api/zeq/apis/alice?key=${alice.token}` : call('echo');
        const parts = partsOf(one, {}, { '/echo': echo, '/large': call('large') });
        const isRead = one.id === 'slow/slow-read';
        const outcome = await play(rig.port, parts, { untilClosed: isRead, patienceMs: PATIENCE_MS });
        if (isRead)
          return [one.id, outcome.closed && outcome.text.length < LARGE_BYTES ? [] : ['whole']] as const;
        return [one.id, violations(one, outcome, [])] as const;
      }),
    );

    expect(outcomes.filter(([, wrong]) => wrong.length > 0)).toEqual([]);
  }, 200_000);
});
