import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteUpstream, openByteUpstream } from '../src/byte-upstream.ts';
import { NeedleSearch } from '../src/needle-search.ts';
import { formsOf } from '../src/secret-forms.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const KEY = randomBytes(24).toString('hex').toUpperCase();
const FORWARDS = 1_000;

let upstream: ByteUpstream;
let mesh: TestMesh;

beforeAll(async () => {
  upstream = await openByteUpstream({ header: 'x-bytes-key', value: KEY });
  // Node writes a snapshot, after a full collection, when this signal comes; no service listens to an inspector.
  const NODE_OPTIONS = '--heapsnapshot-signal=SIGUSR2';
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`], { NODE_OPTIONS, LOG_LEVEL: 'warn' });
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

describe('the heap of the forwarder', () => {
  it('holds no credential in clear after 1,000 forwards', async () => {
    const auth_header = `X-Bytes-Key: ${KEY}`;
    const { forward } = await mesh.register({ name: 'bytes', base_url: upstream.origin, auth_header });
    const headers = { authorization: `Bearer ${mesh.owner.api_key}` };
    for (let n = 0; n < FORWARDS / 10; n++) {
      const batch = Array.from({ length: 10 }, () =>
        fetch(`${forward}/echo`, { headers, method: 'POST', body: 'x' }),
      );
      for (const answer of await Promise.all(batch)) {
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
      }
    }

    const snapshot = await snapshotOf(mesh.mesh.pids().forwarder!);

    expect(snapshot.includes('undici')).toBe(true); // it is a snapshot, and of the right process
    expect(new NeedleSearch(formsOf(KEY)).hitsIn(snapshot)).toEqual([]);
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
