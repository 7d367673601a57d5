import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { type ByteUpstream, openByteUpstream } from '../src/byte-upstream.ts';
import { openSecondDoor, type SecondDoor } from '../src/second-door.ts';
import { expectStatus, openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const KEY = `canary-${randomBytes(24).toString('hex')}`;
/** Less than a lease lives: the doors were told, and did not wait for its end. */
const REFUSED_WITHIN_MS = 4_000;
const CUT_WITHIN_MS = 15_000;
const EXPIRES_AFTER_SECONDS = 5;

let upstream: ByteUpstream;
let mesh: TestMesh;
let second: SecondDoor;

beforeAll(async () => {
  upstream = await openByteUpstream({ header: 'x-bytes-key', value: KEY });
  const allow = [`127.0.0.1:${upstream.port}`];
  mesh = await openTestMesh(allow);
  second = await openSecondDoor(mesh, allow);
});

afterAll(async () => {
  await second?.stop();
  await mesh?.stop();
  await upstream?.stop();
});

/** A machine with one API, and a way to take something away. */
interface Scene {
  path: string;
  token: string;
  revoke: () => Promise<Response>;
  refusal: number;
}

const SCENES: Record<string, (slug: string) => Promise<Scene>> = {
  'an app token': async (slug) => {
    const { owner, apis } = await machineWithApi(slug);
    const minted = await expectStatus<{ token: string; app_token: { id: string } }>(
      201,
      await mesh.call('POST', `${apis}/bytes/tokens`, { token: owner, json: {} }),
    );
    const revoke = () => mesh.call('DELETE', `${apis}/bytes/tokens/${minted.app_token.id}`, { token: owner });
    return { path: `${apis}/bytes/forward`, token: minted.token, revoke, refusal: 401 };
  },
  'a machine key': async (slug) => {
    const { owner, apis } = await machineWithApi(slug);
    const keys = `/api/zeq/machines/${slug}/keys`;
    const minted = await expectStatus<{ api_key: string; key: { id: string } }>(
      201,
      await mesh.call('POST', keys, { token: owner, json: { scope: 'forward' } }),
    );
    const revoke = () => mesh.call('DELETE', `${keys}/${minted.key.id}`, { token: owner });
    return { path: `${apis}/bytes/forward`, token: minted.api_key, revoke, refusal: 401 };
  },
  'an API': async (slug) => {
    const { owner, apis } = await machineWithApi(slug);
    const revoke = () => mesh.call('DELETE', `${apis}/bytes`, { token: owner });
    return { path: `${apis}/bytes/forward`, token: owner, revoke, refusal: 404 };
  },
  'a machine': async (slug) => {
    const { owner, apis } = await machineWithApi(slug);
    const revoke = () => mesh.call('DELETE', `/api/zeq/machines/${slug}`, { token: owner });
    return { path: `${apis}/bytes/forward`, token: owner, revoke, refusal: 401 };
  },
};

describe.each(Object.keys(SCENES))('revoking %s', (what) => {
  it('is felt at every door at once, and open streams and sockets end', async () => {
    const scene = await SCENES[what]!(`gone-${randomBytes(4).toString('hex')}`);
    const doors = [mesh.mesh.gateway, second.gateway];
    const streams = await Promise.all(doors.map((door) => openStream(door + scene.path, scene.token)));
    const sockets = await Promise.all(doors.map((door) => openSocket(door + scene.path, scene.token)));
    for (const door of doors) expect(await statusAt(door, scene)).toBe(200);

    expect((await scene.revoke()).status).toBe(204);

    const refused = doors.map((door) => until(async () => (await statusAt(door, scene)) === scene.refusal));
    const felt = Math.max(...(await Promise.all(refused)));
    await until(() => [...streams, ...sockets].every((open) => open.ended()), CUT_WITHIN_MS);

    expect(felt).toBeLessThan(REFUSED_WITHIN_MS);
  });
});

describe('a token that expires', () => {
  it('ends the streams and sockets that were opened with it', async () => {
    const { owner, apis } = await machineWithApi(`ends-${randomBytes(4).toString('hex')}`);
    const minted = await mesh.call('POST', `${apis}/bytes/tokens`, {
      token: owner,
      json: { expires_in_seconds: EXPIRES_AFTER_SECONDS },
    });
    const { token } = await expectStatus<{ token: string }>(201, minted);
    const forward = `${mesh.mesh.gateway}${apis}/bytes/forward`;
    const [expiring, lasting] = [await openStream(forward, token), await openStream(forward, owner)];
    const socket = await openSocket(forward, token);
    expect([expiring.ended(), socket.ended()]).toEqual([false, false]);

    await until(() => expiring.ended() && socket.ended(), EXPIRES_AFTER_SECONDS * 1_000 + CUT_WITHIN_MS);

    expect(lasting.ended()).toBe(false);
  });
});

async function machineWithApi(slug: string): Promise<{ owner: string; apis: string }> {
  const { api_key: owner } = await mesh.createMachine(slug);
  const apis = `/api/zeq/apis/${slug}`;
  const json = {
    name: 'bytes',
    base_url: upstream.origin,
    auth_header: `X-Bytes-Key: ${KEY}`,
    rate_limit_per_min: 1_000_000,
  };
  await expectStatus(201, await mesh.call('POST', apis, { token: owner, json }));
  return { owner, apis };
}

async function statusAt(door: string, { path, token }: Scene): Promise<number> {
  const answer = await fetch(`${door}${path}/bytes/8`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}

interface Open {
  ended: () => boolean;
}

/** An event stream on which nothing happens until it ends. */
async function openStream(forward: string, token: string): Promise<Open> {
  const answer = await fetch(`${forward}/events`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  let ended = false;
  answer.text().then(
    () => (ended = true),
    () => (ended = true),
  );
  return { ended: () => ended };
}

async function openSocket(forward: string, token: string): Promise<Open> {
  const socket = new WebSocket(`${forward.replace('http:', 'ws:')}/socket`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return { ended: () => socket.readyState === WebSocket.CLOSED };
}
