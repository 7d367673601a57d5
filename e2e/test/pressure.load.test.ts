import { idleCrowd, slowHeadCrowd, slowReaderCrowd } from '../src/crowd.ts';
import { growthDuring } from '../src/memory.ts';
import { pace } from '../src/pace.ts';
import type { RawTarget } from '../src/raw-call.ts';
import { type SlowUpstream, startSlowUpstream } from '../src/start-slow-upstream.ts';
import { newTenant } from '../src/tenant.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const MANY = 300;
const READERS = 100;
const BIG_BYTES = 10 * 2 ** 20;
/** What a reader that does not read may cost either process: far less than waits for it. V8's own reserve is in it. */
const BYTES_PER_READER = 2 * 1024 * 1024;
const ALL_WELL = { '200': 60 };

let upstream: SlowUpstream;
let mesh: TestMesh;
let alice: RawTarget;
let bob: RawTarget;

beforeAll(async () => {
  upstream = await startSlowUpstream();
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  alice = await newTenant(mesh, 'alice', upstream.port);
  bob = await newTenant(mesh, 'bob', upstream.port);
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

const callsOfBob = async () =>
  (await pace({ target: bob, path: '/quick', perSecond: 20, seconds: 3 })).outcomes;

describe('another tenant is served', () => {
  it(`beside ${MANY} idle connections, which stay open`, async () => {
    const crowd = await idleCrowd(alice, MANY);

    expect(await callsOfBob()).toEqual(ALL_WELL);
    expect(crowd.open()).toBe(MANY);
    crowd.leave();
  });

  it(`beside ${MANY} heads that come a byte at a time, which are closed by the timeout`, async () => {
    const crowd = await slowHeadCrowd(alice, MANY);

    expect(await callsOfBob()).toEqual(ALL_WELL);
    await until(() => crowd.open() === 0, 30_000);
  });

  it(`beside ${READERS} readers that do not read, which cost no more than their buffers`, async () => {
    const { gateway, forwarder } = mesh.mesh.pids();

    const { result, growth } = await growthDuring({ gateway: gateway!, forwarder: forwarder! }, async () => {
      const crowd = await slowReaderCrowd(alice, READERS, BIG_BYTES);
      const outcomes = await callsOfBob();
      crowd.leave();
      return outcomes;
    });

    expect(result).toEqual(ALL_WELL);
    expect(growth.gateway).toBeLessThan(READERS * BYTES_PER_READER);
    expect(growth.forwarder).toBeLessThan(READERS * BYTES_PER_READER);
  });
});
