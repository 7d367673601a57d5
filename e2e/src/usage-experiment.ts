import type { ActivityPage, Usage, UsageFigures } from '@zeq/contracts';
import type { MeshOptions } from '../../dev/mesh.ts';
import { expectStatus, openTestMesh, type TestMesh } from './test-mesh.ts';
import { until } from './until.ts';
import { MixedCalls } from './usage-calls.ts';
import { UsageUpstream } from './usage-upstream.ts';

/** A mesh with a counting upstream behind two APIs: calls to `whole` come to their end, those to `cut` do not. */
export interface UsageWorld {
  mesh: TestMesh;
  upstream: UsageUpstream;
  calls: MixedCalls;
  /** What the vault has counted of one of the two. */
  usage: (api: 'whole' | 'cut') => Promise<UsageFigures>;
  activity: (api: 'whole' | 'cut') => Promise<ActivityPage>;
  /** Waits until the vault has counted as many requests as the upstream, or nothing has been added for a while. */
  settled: () => Promise<void>;
  /** Ends a service; the launcher starts it again. Resolves when it is back. */
  restart: (service: 'forwarder' | 'byok-vault', signal: NodeJS.Signals) => Promise<void>;
  stop: () => Promise<void>;
}

/** Reports come once a second; after this long (ms) without news there is none on the way. */
const QUIET_MS = 2_500;

/** @param only The services; by default those of the main road. */
export async function openUsageWorld(only?: MeshOptions['only']): Promise<UsageWorld> {
  const upstream = await new UsageUpstream().open();
  const mesh = await openTestMesh([`127.0.0.1:${upstream.port}`], {}, only);
  const { slug, api_key: owner } = mesh.owner;
  for (const name of ['whole', 'cut'])
    await mesh.register({
      name,
      base_url: `http://127.0.0.1:${upstream.port}/${name}`,
      auth_header: 'X-Key: a-key-that-nobody-echoes-0123456789',
      policy: { circuit_failures: 0 }, // calls to `cut` do nothing but fail
    });
  const { token: reader } = await mesh.mintToken('whole', { allowed_methods: ['GET'] });
  const calls = new MixedCalls({ gateway: mesh.mesh.gateway, slug, upstream, owner, reader });
  const read = async <T>(api: string, what: string): Promise<T> =>
    expectStatus<T>(200, await mesh.call('GET', `/api/zeq/apis/${slug}/${api}/${what}`, { token: owner }));
  const usage = async (api: string) => (await read<Usage>(api, 'usage')).total;
  const settled = () =>
    untilQuiet(async () => (await usage('whole')).requests + (await usage('cut')).requests);
  return {
    mesh,
    upstream,
    calls,
    usage,
    activity: (api) => read<ActivityPage>(api, 'activity?limit=10000'),
    settled,
    restart: (service, signal) => restart(mesh, service, signal),
    stop: async () => {
      await mesh.stop();
      upstream.close();
    },
  };
}

/** A figure of the vault that is not what upstream and callers saw. */
export interface Difference {
  name: string;
  counted: number;
  seen: number;
}

/** Compares everything that both sides can know; empty when all of it is equal. */
export async function differences({ upstream, calls, usage }: UsageWorld): Promise<Difference[]> {
  const { outOfScope, tests, aborted, broken } = calls.seen;
  const { whole, cut } = upstream;
  const seen = {
    'whole.requests': whole.requests + outOfScope,
    'whole.sent': whole.requests,
    'whole.status.1xx': whole.status['1xx'] ?? 0,
    'whole.status.2xx': whole.status['2xx'] ?? 0,
    'whole.status.4xx': (whole.status['4xx'] ?? 0) + outOfScope,
    'whole.status.5xx': whole.status['5xx'] ?? 0,
    'whole.refused.out_of_scope': outOfScope,
    'whole.websockets': whole.websockets,
    'whole.tests': tests,
    'whole.aborted': 0,
    'whole.bytes_in': whole.bytesIn,
    'whole.bytes_out': whole.bytesOut,
    'whole.tokens_in': whole.tokensIn,
    'whole.tokens_out': whole.tokensOut,
    'cut.requests': cut.requests,
    'cut.sent': cut.requests,
    'cut.aborted': aborted,
    'cut.refused.upstream_reset': broken,
  };
  const counted: unknown = { whole: await usage('whole'), cut: await usage('cut') };
  return Object.entries(seen)
    .map(([name, value]) => ({ name, seen: value, counted: figureAt(counted, name) }))
    .filter((figure) => figure.counted !== figure.seen);
}

function figureAt(figures: unknown, name: string): number {
  let at = figures;
  for (const part of name.split('.')) at = (at as Record<string, unknown> | undefined)?.[part];
  return (at as number | undefined) ?? 0;
}

/** Waits until a figure has not moved for a while. */
async function untilQuiet(figure: () => Promise<number>): Promise<void> {
  let [last, since] = [await figure(), performance.now()];
  await until(async () => {
    const now = await figure();
    if (now !== last) [last, since] = [now, performance.now()];
    return performance.now() - since > QUIET_MS;
  }, 60_000);
}

async function restart({ mesh }: TestMesh, service: string, signal: NodeJS.Signals): Promise<void> {
  const before = mesh.pids()[service]!;
  process.kill(before, signal);
  const port = service === 'forwarder' ? mesh.ports.FORWARDER_PORT : mesh.ports.VAULT_PORT;
  await until(async () => {
    if (mesh.pids()[service] === before) return false;
    const ready = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    await ready?.arrayBuffer();
    return ready?.ok === true;
  }, 60_000);
}
