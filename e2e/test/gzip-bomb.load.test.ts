import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { growthDuring } from '../src/memory.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import '../src/patience.ts';

const MIB_16 = 16 * 2 ** 20;
const MIB_64 = 64 * 2 ** 20;
const MEMBER = gzipSync(Buffer.alloc(MIB_16)); // members one behind the other are one gzip file

let upstream: Server;
let mesh: TestMesh;
let forward: string;

beforeAll(async () => {
  upstream = createServer((req, res) => {
    const members = Number(req.url!.slice(1));
    res.writeHead(200, { 'content-encoding': 'gzip', 'content-length': MEMBER.length * members });
    for (let i = 0; i < members; i += 1) res.write(MEMBER);
    res.end();
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  const { port } = upstream.address() as AddressInfo;
  mesh = await openTestMesh([`127.0.0.1:${port}`]);
  const auth_header = 'X-Key: canary-5f0e7c1b9a3d4e6f8a2b';
  ({ forward } = await mesh.register({ name: 'bomb', base_url: `http://127.0.0.1:${port}`, auth_header }));
});

afterAll(async () => {
  await mesh?.stop();
  upstream.closeAllConnections();
  upstream.close();
});

/** Reads an answer and keeps nothing of it. @returns Its bytes, and whether it was whole. */
async function swallow(members: number): Promise<{ bytes: number; whole: boolean }> {
  let bytes = 0;
  try {
    const res = await fetch(`${forward}/${members}`, {
      headers: { authorization: `Bearer ${mesh.owner.api_key}` },
    });
    for await (const chunk of res.body!) bytes += chunk.length;
    return { bytes, whole: true };
  } catch {
    return { bytes, whole: false };
  }
}

describe('a gibibyte of zeros in one mebibyte', () => {
  it('is cut off, and costs the forwarder at most 64 MiB', async () => {
    const modest = await swallow(1); // warm; and packed answers that are not bombs pass
    const { gateway, forwarder } = mesh.mesh.pids();
    const pids = { gateway: gateway!, forwarder: forwarder! };

    const { result, growth } = await growthDuring(pids, () => swallow(64));

    expect(modest).toEqual({ bytes: MIB_16, whole: true });
    expect(result.whole).toBe(false);
    expect(growth.forwarder).toBeLessThanOrEqual(MIB_64);
    expect(growth.gateway).toBeLessThanOrEqual(MIB_64);
  });
});
