import { readdirSync } from 'node:fs';
import type { ServiceName } from '@zeq/contracts';
import { residentBytes } from '../../../e2e/src/memory.ts';
import { until } from '../../../e2e/src/until.ts';
import type { FaultMesh } from '../mesh.ts';
import type { Upstream } from '../upstream.ts';
import type { Verdict } from '../verdict.ts';

/** What a process may hold more after an experiment than before: connections that are kept, code that has been compiled since. */
const MORE_HANDLES = 96;
/** V8 keeps the pages that a load once needed: some 200 MiB were seen where the heap had not grown. What each call leaves behind, F21 finds. */
const MORE_BYTES = 256 * 2 ** 20;
const SETTLE_MS = 15_000;

export interface Footprint {
  handles: number;
  bytes: number;
}

export const footprints = (mesh: FaultMesh): Record<string, Footprint> =>
  Object.fromEntries(
    Object.entries(mesh.pids()).map(([name, pid]) => [
      name,
      { handles: readdirSync(`/proc/${pid}/fd`).length, bytes: residentBytes(pid) },
    ]),
  );

/**
 * Open calls are zero again, and no process has grown or holds on to handles.
 *
 * @param settle `settleMs`: the gateway keeps a free connection to the forwarder for ten seconds: whoever had very many calls open waits that long.
 */
export async function judgeBaseline(
  verdict: Verdict,
  { mesh, upstream }: { mesh: FaultMesh; upstream: Upstream },
  before: Record<string, Footprint>,
  { settleMs, keepsBytes = 0 }: { settleMs: number; keepsBytes?: number | undefined },
): Promise<void> {
  const open = () => gauge(mesh, 'zeq_forward_calls_open');
  await until(async () => (await open()) === 0, SETTLE_MS).catch(() => undefined); // judged below, either way
  const left = await open();
  verdict.that('no call is left open in the forwarder', left === 0, left);
  const seen = () => grown(before, footprints(mesh), MORE_BYTES + keepsBytes);
  await until(() => seen().length === 0, settleMs).catch(() => undefined); // the same
  verdict.none('processes that hold more than before', seen());
  verdict.none('requests at the upstream without a known credential', upstream.strangers);
}

function grown(
  before: Record<string, Footprint>,
  after: Record<string, Footprint>,
  moreBytes: number,
): string[] {
  return Object.entries(after).flatMap(([name, { handles, bytes }]) => {
    const was = before[name]!;
    const lines = [];
    if (handles > was.handles + MORE_HANDLES) lines.push(`${name}: ${was.handles} → ${handles} handles`);
    if (bytes > was.bytes + moreBytes) lines.push(`${name}: ${mib(was.bytes)} → ${mib(bytes)} MiB`);
    return lines;
  });
}

const mib = (bytes: number) => Math.round(bytes / 2 ** 20);

interface GaugeOptions {
  labels?: string;
  service?: ServiceName;
  /** Of another process of it. */
  url?: string;
}

/** One figure of a service's metrics; labelled ones are summed. */
export async function gauge(
  mesh: FaultMesh,
  name: string,
  { labels = '', service = 'forwarder', url = mesh.urlOf(service) }: GaugeOptions = {},
): Promise<number> {
  const headers = { 'x-admin-key': mesh.secrets.ZEQ_ADMIN_KEYS };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
