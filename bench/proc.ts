import { readdirSync, readFileSync } from 'node:fs';

/** What processes have used so far, as the kernel counts it. Linux only. */
export interface Usage {
  /** User and system time of every thread in microseconds, from the scheduler's own clock (nanoseconds in schedstat). */
  cpuUs: number;
  /** Resident memory in bytes. */
  rssBytes: number;
}

/** Sums over these processes; a process that has ended counts nothing. */
export function usageOf(pids: readonly number[]): Usage {
  const usage = { cpuUs: 0, rssBytes: 0 };
  for (const pid of pids) {
    usage.cpuUs += cpuOf(pid);
    usage.rssBytes += rssOf(pid);
  }
  return usage;
}

function cpuOf(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readProc(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] || 0);
  }
  return ns / 1000;
}

const rssOf = (pid: number) =>
  1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0);

/** The text of a file of /proc; empty for a thread that ended between listing and reading. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (err) {
    if (['ENOENT', 'ESRCH'].includes((err as NodeJS.ErrnoException).code ?? '')) return '';
    throw err;
  }
}

/** A process and all that descend from it. */
export function familyOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const walk = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(walk)];
  return walk(root);
}

/** Busy time of the whole machine in microseconds, for judging how quiet a measurement was. */
export function machineBusyUs(): number {
  const fields = readProc('/proc/stat').split('\n')[0]!.trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
  return (user + nice + system + irq + softirq) * 10_000;
}

/** What this process and its finished children have used, in microseconds. */
export function ownBusyUs(): number {
  const stat = readProc('/proc/self/stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10_000, 0);
}

/** The processor's name and how many of it there are. */
export function machineName(): string {
  const info = readProc('/proc/cpuinfo');
  const name = /^model name\s*:\s*(.+)$/m.exec(info)?.[1] ?? 'unknown processor';
  return `${info.match(/^processor\s*:/gm)?.length ?? 0} × ${name}`;
}
