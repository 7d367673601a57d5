// How soon a revoked app token is refused at two gateways, each with a forwarder of its own, and how soon its open streams end:
//   node bench/revocation.ts [--trials 200]
// From the moment the revocation is sent, its own answer included.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openByteUpstream } from '../e2e/src/byte-upstream.ts';
import { openSecondDoor } from '../e2e/src/second-door.ts';
import { expectStatus, openTestMesh } from '../e2e/src/test-mesh.ts';
import { quantile } from './stats.ts';

const { values } = parseArgs({ options: { trials: { type: 'string', default: '200' } } });
const APIS = '/api/zeq/apis/revoked';
const POLL_MS = 5;
const GIVE_UP_MS = 20_000;
const say = (text: string) => process.stdout.write(`${text}\n`);

const key = randomBytes(24).toString('hex');
const upstream = await openByteUpstream({ header: 'x-bytes-key', value: key });
const allow = [`127.0.0.1:${upstream.port}`];
const mesh = await openTestMesh(allow);
const second = await openSecondDoor(mesh, allow);
try {
  const { api_key: owner } = await mesh.createMachine('revoked');
  const json = {
    name: 'bytes',
    base_url: upstream.origin,
    auth_header: `X-Bytes-Key: ${key}`,
    rate_limit_per_min: 1_000_000,
  };
  await expectStatus(201, await mesh.call('POST', APIS, { token: owner, json }));
  const refused: number[] = [];
  const ended: number[] = [];
  for (let trial = 0; trial < Number(values.trials); trial += 1) {
    const times = await revokeOne(owner);
    refused.push(...times.refused);
    ended.push(...times.ended);
  }
  say('| | measured | p50, ms | p99, ms | max, ms |');
  say('|---|---:|---:|---:|---:|');
  row('refused at a gateway', refused);
  row('an open stream ends', ended);
} finally {
  await second.stop();
  await mesh.stop();
  await upstream.stop();
}

async function revokeOne(owner: string): Promise<{ refused: number[]; ended: number[] }> {
  const minted = await mesh.call('POST', `${APIS}/bytes/tokens`, { token: owner, json: {} });
  const { token, app_token } = await expectStatus<{ token: string; app_token: { id: string } }>(201, minted);
  const forwards = [mesh.mesh.gateway, second.gateway].map((door) => `${door}${APIS}/bytes/forward`);
  const streams = await Promise.all(forwards.map((forward) => openStream(forward, token)));
  const from = performance.now();
  const since = () => performance.now() - from;
  const endings = streams.map(({ end }) => end.then(since));
  const refusals = forwards.map((forward) => untilRefused(forward, token).then(since));
  await expectStatus(
    204,
    await mesh.call('DELETE', `${APIS}/bytes/tokens/${app_token.id}`, { token: owner }),
  );
  return { refused: await Promise.all(refusals), ended: await Promise.all(endings) };
}

/** @returns What resolves when it has ended: in an object, because a promise of a promise would be waited for as one. */
async function openStream(forward: string, token: string): Promise<{ end: Promise<void> }> {
  const answer = await fetch(`${forward}/events`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new Error(`the stream was answered with ${answer.status}`);
  const end = answer.text().then(
    () => undefined,
    () => undefined, // broken off, as it should be
  );
  return { end };
}

async function untilRefused(forward: string, token: string): Promise<void> {
  for (const from = performance.now(); performance.now() - from < GIVE_UP_MS; await sleep(POLL_MS)) {
    const answer = await fetch(`${forward}/bytes/8`, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    if (answer.status === 401) return;
  }
  throw new Error('a revoked token is not refused');
}

function row(what: string, ms: readonly number[]): void {
  const cells = [0.5, 0.99, 1].map((q) => quantile(ms, q).toFixed(1));
  say(`| ${what} | ${ms.length} | ${cells.join(' | ')} |`);
}
