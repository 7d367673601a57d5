import { randomBytes } from 'node:crypto';
import { FLAT_BYTES, GIB_2, getHashed, putPattern } from '../src/big-bodies.ts';
import { type ByteUpstream, openByteUpstream, patternHash } from '../src/byte-upstream.ts';
import { growthDuring } from '../src/memory.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import '../src/patience.ts';

const KEY = `canary-${randomBytes(24).toString('hex')}`;
const MIB_32 = 32 * 2 ** 20;

let upstream: ByteUpstream;
let mesh: TestMesh;
let forward: string;

beforeAll(async () => {
  upstream = await openByteUpstream({ header: 'x-bytes-key', value: KEY });
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  const auth_header = `X-Bytes-Key: ${KEY}`;
  ({ forward } = await mesh.register({ name: 'bytes', base_url: upstream.origin, auth_header }));
  await putPattern(`${forward}/hash`, mesh.owner.api_key, MIB_32); // warm: code compiled, pools open
  await getHashed(`${forward}/bytes/${MIB_32}`, mesh.owner.api_key);
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

describe('2 GiB through the mesh', () => {
  const onTheWay = () => {
    const { gateway, forwarder } = mesh.mesh.pids();
    return { gateway: gateway!, forwarder: forwarder! };
  };

  it.each([
    ['up', () => putPattern(`${forward}/hash`, mesh.owner.api_key, GIB_2)],
    ['down', () => getHashed(`${forward}/bytes/${GIB_2}`, mesh.owner.api_key)],
  ])('pass %s with equal hashes and at most 64 MiB more in either process', async (_direction, transfer) => {
    const expected = { bytes: GIB_2, sha256: patternHash(GIB_2) };

    const { result, growth } = await growthDuring(onTheWay(), transfer);

    expect(result).toEqual(expected);
    expect(growth.gateway).toBeLessThanOrEqual(FLAT_BYTES);
    expect(growth.forwarder).toBeLessThanOrEqual(FLAT_BYTES);
  });
});
