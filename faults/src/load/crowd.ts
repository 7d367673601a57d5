import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface CrowdOrder {
  port: number;
  /** The bytes of the request; the answer has to end the connection. */
  head: string;
  count: number;
  /** The time in which they all begin (ms). */
  overMs: number;
}

export interface CrowdCall {
  /** 0: the connection ended before there was one. */
  status: number;
  /** The problem code of a refusal. */
  code: string;
  /** From the beginning of the connection to the first byte of the answer, and to its end (ms). */
  headMs: number;
  endMs: number;
}

const PROGRAM = fileURLToPath(new URL('./crowd-process.ts', import.meta.url));

/** Many callers at once, in a process of their own, which has started before they begin. */
export class Crowd {
  readonly #child: ChildProcess;

  static async open(order: CrowdOrder): Promise<Crowd> {
    const child = fork(PROGRAM, [JSON.stringify(order)]);
    await once(child, 'message');
    return new Crowd(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @returns What became of them, when the last one has its answer. */
  async begin(): Promise<CrowdCall[]> {
    this.#child.send('begin');
    const [calls] = await once(this.#child, 'message');
    return calls as CrowdCall[];
  }

  /** Those that are still open leave in the middle; where all have ended, so has their process. */
  leave(): void {
    if (this.#child.connected) this.#child.send('leave');
  }
}
