import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS } from './runtime.ts';

export interface ProcessSpec {
  name: string;
  /** The program, a TypeScript file of ours. */
  program: string;
  env: NodeJS.ProcessEnv;
  healthUrl: string;
}

export interface SupervisorOptions {
  logDir: string;
  /** Told when a process ended by itself and is started again. */
  onRestart: (name: string, how: string) => void;
}

const PRELOADS = ['./compile-cache.ts', './die-with-parent.ts'].flatMap((name) => [
  '--import',
  new URL(name, import.meta.url).href,
]);
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;
const RESTART_AFTER_MS = 200;

/** One process, started again when it dies, with its output in a log file. */
export class Supervised {
  readonly name: string;
  readonly #spec: ProcessSpec;
  readonly #options: SupervisorOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #stopping = false;
  #firstWords = '';

  constructor(spec: ProcessSpec, options: SupervisorOptions) {
    mkdirSync(options.logDir, { recursive: true });
    this.name = spec.name;
    this.#spec = spec;
    this.#options = options;
    this.#log = createWriteStream(join(options.logDir, `${spec.name}.log`), { flags: 'a', mode: 0o600 });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and waits until it is healthy. @throws Error with what it said on stderr when it ends before that. */
  async start(): Promise<void> {
    const child = this.#spawn();
    let ended = false;
    child.once('exit', () => (ended = true));
    const deadline = performance.now() + START_WITHIN_MS;
    while (!(await isHealthy(this.#spec.healthUrl))) {
      if (ended) throw new Error(this.#firstWords.trim() || `${this.name} ended while it was starting`);
      if (performance.now() > deadline)
        throw new Error(`${this.name} did not become healthy within ${START_WITHIN_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.once('exit', (code, signal) => this.#onExit(signal ?? `code ${code}`));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await gone;
      clearTimeout(late);
    }
    this.#log.end();
  }

  #spawn(): ChildProcess {
    // Its own process group: Ctrl-C reaches the launcher alone, which then stops everything in order.
    const child = spawn(process.execPath, [...NODE_FLAGS, ...PRELOADS, this.#spec.program], {
      env: this.#spec.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#firstWords = '';
    child.stdout?.pipe(this.#log, { end: false });
    child.stderr?.pipe(this.#log, { end: false });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (this.#firstWords.length < 8192) this.#firstWords += chunk.toString();
    });
    return child;
  }

  #onExit(how: string): void {
    if (this.#stopping) return;
    this.#options.onRestart(this.name, how);
    setTimeout(() => {
      if (!this.#stopping)
        this.#spawn().once('exit', (code, signal) => this.#onExit(signal ?? `code ${code}`));
    }, RESTART_AFTER_MS);
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false; // not listening yet; the deadline above bounds the waiting
  }
}
