import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../memory.ts';

const LOOK_EVERY_MS = 2_000;
/** Code is compiled and caches fill in the first third; from then on a process may have so much more (MiB), which V8 keeps or not. */
const MORE_MIB = 16;
/** Fewer looks show nothing. */
const ENOUGH = 60;

/** Looks at what processes hold while a run goes on. */
export class MemoryWatch {
  readonly #pids: Readonly<Record<string, number | undefined>>;
  readonly #seen: Record<string, number[]> = {};
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  constructor(pids: Readonly<Record<string, number | undefined>>) {
    this.#pids = pids;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** What each process held in the three thirds of the time (median, MiB). */
  get thirds(): Record<string, number[]> {
    return Object.fromEntries(
      Object.entries(this.#seen).map(([name, sizes]) => {
        const third = Math.floor(sizes.length / 3);
        return [name, [0, 1, 2].map((n) => median(sizes.slice(n * third, (n + 1) * third)))];
      }),
    );
  }

  /** Processes that held more in the last third than in the second. */
  growing(): string[] {
    return Object.entries(this.thirds).flatMap(([name, [, second = 0, last = 0]]) =>
      this.#seen[name]!.length >= ENOUGH && last > second + MORE_MIB
        ? [`${name} grows: ${second} → ${last} MiB`]
        : [],
    );
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      for (const [name, pid] of Object.entries(this.#pids))
        if (pid !== undefined && existsSync(`/proc/${pid}`)) this.#note(name, residentBytes(pid));
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined); // stopped
    }
  }

  #note(name: string, bytes: number): void {
    this.#seen[name] ??= [];
    this.#seen[name].push(Math.round(bytes / 2 ** 20));
  }
}

const median = (sizes: readonly number[]): number =>
  sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 0;
