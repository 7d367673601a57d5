import type { Caller } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { Allowed } from './decide.ts';
import type { CutReason, LiveCall, LiveCalls } from './live-calls.ts';

/** What a call does when its ground is gone, and once a second while it is open. */
export interface PassageHandler {
  cut(problem: ProblemError): void;
  tick?(): void;
}

/**
 * One call that was decided on and counted, from then until it has ended. It holds its place among the calls in flight and is
 * found there by a revocation.
 */
export class Passage implements LiveCall {
  slot = -1;
  readonly caller: Caller;
  readonly decision: Allowed;
  addresses: readonly string[] = [];
  readonly #live: LiveCalls;
  #handler: PassageHandler | undefined;
  #problem: ProblemError | undefined;
  #open = true;

  constructor(caller: Caller, decision: Allowed, live: LiveCalls) {
    this.caller = caller;
    this.decision = decision;
    this.#live = live;
    decision.api.state.inFlight += 1;
    live.add(this);
  }

  get apiId(): string {
    return this.decision.api.lease.api_id;
  }

  get machineId(): string {
    return this.decision.api.lease.machine_id;
  }

  /** @throws ProblemError if the call was cut before there was anything to cut. */
  attach(handler: PassageHandler): void {
    this.#handler = handler;
    this.requireUncut();
  }

  requireUncut(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  cut(why: CutReason): void {
    if (this.#problem !== undefined) return;
    this.#problem = CUTS[why]();
    this.#handler?.cut(this.#problem);
  }

  tick(): void {
    this.#handler?.tick?.();
  }

  /** Gives the place back; further calls do nothing. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    this.decision.api.state.inFlight -= 1;
    this.#live.remove(this);
  }
}

const CUTS: Record<CutReason, () => ProblemError> = {
  revoked: () => new ProblemError('unauthorized', 'The key, token, API or machine of this call was revoked.'),
  stopping: () => new ProblemError('shutting_down', 'The forwarder is stopping.'),
};
