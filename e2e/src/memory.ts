import { readFileSync } from 'node:fs';

/** Resident memory of a process in bytes. Linux only. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line![1]) * 1024;
}

/**
 * Watches processes while something runs.
 *
 * @returns What the work returned, and by how many bytes each process grew at its highest, against the moment before.
 */
export async function growthDuring<T>(
  pids: Record<string, number>,
  work: () => Promise<T>,
): Promise<{ result: T; growth: Record<string, number> }> {
  const names = Object.keys(pids);
  const before = names.map((name) => residentBytes(pids[name]!));
  const highest = [...before];
  const timer = setInterval(() => {
    for (const [i, name] of names.entries()) highest[i] = Math.max(highest[i]!, residentBytes(pids[name]!));
  }, 25);
  try {
    const result = await work();
    return {
      result,
      growth: Object.fromEntries(names.map((name, i) => [name, highest[i]! - before[i]!])),
    };
  } finally {
    clearInterval(timer);
  }
}
