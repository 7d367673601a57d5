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

/** Many callers at once, in a process of their own. */
export class Crowd {
  /** When the last of them has its answer. */
  readonly ended: Promise<CrowdCall[]>;
  readonly #child: ChildProcess;

  constructor(order: CrowdOrder) {
    this.#child = fork(PROGRAM, [JSON.stringify(order)]);
    this.ended = once(this.#child, 'message').then(([calls]) => calls as CrowdCall[]);
  }

  /** Those that are still open leave in the middle; where all have ended, so has their process. */
  leave(): void {
    if (this.#child.connected) this.#child.send('leave');
  }
}
