import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalUpstream } from '../src/local-upstream.ts';
import { NeedleSearch } from '../src/needle-search.ts';
import { openReflectingUpstream } from '../src/reflecting-upstream.ts';
import { formsOf } from '../src/secret-forms.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const canary = () => randomBytes(24).toString('hex').toUpperCase();
const [HEADER, QUERY, PASSWORD] = [canary(), canary(), canary()];
const FORWARDS = 1_000;

let upstream: LocalUpstream;
let mesh: TestMesh;

beforeAll(async () => {
  upstream = await openReflectingUpstream();
  // Node writes a snapshot, after a full collection, when this signal comes; no service listens to an inspector.
  const NODE_OPTIONS = '--heapsnapshot-signal=SIGUSR2';
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`], { NODE_OPTIONS, LOG_LEVEL: 'warn' });
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

describe('the heap of the forwarder', () => {
  it('holds no credential in clear after 1,000 forwards whose answers held it', async () => {
    const base_url = upstream.origin;
    const apis = await Promise.all([
      mesh.register({ name: 'header', base_url, auth_header: `X-Canary: ${HEADER}` }),
      mesh.register({ name: 'query', base_url, auth: { type: 'query', name: 'key', value: QUERY } }),
      mesh.register({ name: 'basic', base_url, auth: { type: 'basic', username: 'u', password: PASSWORD } }),
    ]);
    const headers = { authorization: `Bearer ${mesh.owner.api_key}` };
    for (let n = 0; n < FORWARDS / 10; n++) {
      const batch = Array.from({ length: 10 }, (_, i) =>
        fetch(`${apis[(n + i) % apis.length]!.forward}/reflect`, { headers, method: 'POST', body: 'x' }),
      );
      for (const answer of await Promise.all(batch)) {
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
      }
    }

    const snapshot = await snapshotOf(mesh.mesh.pids().forwarder!);

    expect(snapshot.includes('undici')).toBe(true); // it is a snapshot, and of the right process
    expect(new NeedleSearch([HEADER, QUERY, PASSWORD].flatMap(formsOf)).hitsIn(snapshot)).toEqual([]);
  });
});

/** Asks a process for a heap snapshot, which it writes into its working directory. */
async function snapshotOf(pid: number): Promise<Buffer> {
  const folder = process.cwd();
  process.kill(pid, 'SIGUSR2');
  let file: string | undefined;
  await until(async () => {
    file = (await readdir(folder)).find((name) => name.startsWith('Heap.') && name.includes(`.${pid}.`));
    return file !== undefined && (await isWhole(join(folder, file)));
  }, 60_000);
  const snapshot = await readFile(join(folder, file!));
  await rm(join(folder, file!));
  return snapshot;
}

const isWhole = async (path: string) =>
  (await readFile(path)).subarray(-2).toString().trimEnd().endsWith('}');
