import { randomBytes } from 'node:crypto';
import { call, PLATFORM_KEY, type Rig, startRig } from './kit/gateway.ts';
import { owner } from './kit/people.ts';

const WRONG = 500;
const AT_ONCE = 125;

let rig: Rig;
let statuses: number[];
let inTheMiddle: number[];

/** All of the guessing, and ten right tokens, unknown so far, in the middle of it. */
beforeAll(async () => {
  rig = await startRig({ env: { RATE_LIMIT_RPM: '100' } });
  const people = Array.from({ length: 10 }, () => rig.register.add(owner('alice')));
  const guessing = guessAll();
  inTheMiddle = await Promise.all(people.map(({ token }) => statusWith(token)));
  statuses = await guessing;
});

afterAll(() => rig.stop());

const withToken = (token: string) =>
  call(`${rig.url}/api/zeq/apis/alice/sample/forward/x`, { headers: { authorization: `Bearer ${token}` } });
const statusWith = async (token: string) => (await withToken(token)).status;
const wrongToken = () => `zsm_${randomBytes(32).toString('base64url')}`;

async function guessAll(): Promise<number[]> {
  const all: number[] = [];
  for (let done = 0; done < WRONG; done += AT_ONCE)
    all.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => statusWith(wrongToken())))));
  return all;
}

describe(`${WRONG} wrong tokens from one address`, () => {
  it('are refused: as many as the limit with 401, then with 429', () => {
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    expect(statuses.filter((status) => status === 429)).toHaveLength(WRONG - 100);
  });

  it('do not lock out right tokens that come in the middle of them', () => {
    expect(inTheMiddle).toEqual(Array(10).fill(200));
  });

  it('do not lock out a right token that comes after them', async () => {
    const { token } = rig.register.add(owner('alice'));

    expect(await statusWith(token)).toBe(200);
  });

  it('do not lock out the platform key of that address', async () => {
    const reply = await call(`${rig.url}/api/v1/status`, { headers: { 'x-api-key': PLATFORM_KEY } });

    expect(reply.status).toBe(200);
  });

  it('leave the next wrong one with the time to come back', async () => {
    const refused = await withToken(wrongToken());

    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('reach the forwarder not once', () => {
    expect(rig.forwarder.seen).toHaveLength(11); // the right ones
  });
});
