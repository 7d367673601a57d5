import { AbortUpstream, STAGES } from '../src/abort-upstream.ts';
import { type AbortReport, runAborts } from '../src/aborts.ts';
import { readMetrics } from '../src/metrics.ts';
import { type RawTarget, rawTarget } from '../src/raw-call.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import '../src/patience.ts';

const CALLS = 50;
/** Connections that are kept for the next call, and timers that any moment may have. */
const SPARE = 4;

let upstream: AbortUpstream;
let mesh: TestMesh;
let target: RawTarget;
let before: Record<string, number>;
let reports: AbortReport[];

const ports = () => ({
  gateway: mesh.mesh.ports.GATEWAY_PORT!,
  forwarder: mesh.mesh.ports.FORWARDER_PORT!,
});

/** Sockets and timers of both processes. */
async function handles(): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const [service, port] of Object.entries(ports())) {
    const metric = await readMetrics(port);
    for (const type of ['TCPSocketWrap', 'PipeWrap', 'Timeout'])
      figures[`${service} ${type}`] = metric('nodejs_active_resources', `type="${type}"`);
  }
  return figures;
}

beforeAll(async () => {
  upstream = await new AbortUpstream().open();
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  const { forward } = await mesh.register({
    name: 'aborts',
    base_url: `http://127.0.0.1:${upstream.port}`,
    auth_header: 'X-Key: canary-2c6f8d1e9b3a5f704e1d',
  });
  target = rawTarget(forward, mesh.owner.api_key);
  await runAborts({ upstream, target, ports: ports(), calls: 1, atOnce: 1 }); // what is made once is made now
  before = await handles();
  upstream.closedAt.clear();
  reports = await runAborts({ upstream, target, ports: ports(), calls: CALLS, atOnce: 25 });
});

afterAll(async () => {
  await mesh?.stop();
  upstream.close();
});

describe(`${CALLS} callers that leave`, () => {
  it.each(STAGES)('%s are each seen by the upstream, and nothing of them is left', (stage) => {
    const report = reports.find((one) => one.stage === stage)!;

    expect(report.closeMs).toHaveLength(CALLS);
  });

  it('leave no socket and no timer behind in gateway or forwarder', async () => {
    const after = await handles();

    const grown = Object.entries(after).filter(([what, count]) => count > before[what]! + SPARE);
    expect(grown).toEqual([]);
  });
});
