import type { Caller, ProblemCode } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { Tenant } from '../limits/tenants.ts';
import type { Matcher } from '../redaction/matcher.ts';
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
  readonly #tenant: Tenant;
  readonly #isProbe: boolean;
  #answering = false;
  #judged = false;
  #handler: PassageHandler | undefined;
  #problem: ProblemError | undefined;
  #open = true;
  #secrets: Matcher | undefined;

  constructor(caller: Caller, decision: Allowed, live: LiveCalls, tenant: Tenant) {
    this.caller = caller;
    this.decision = decision;
    this.#live = live;
    this.#tenant = tenant;
    this.#isProbe = decision.api.state.circuit.enter();
    tenant.calls += 1;
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

  /**
   * What must not come back in the answer; in clear text from the first use until the call has ended.
   *
   * @throws Error when the call has ended: an answer that comes then goes nowhere.
   */
  get secrets(): Matcher | undefined {
    if (!this.#open) throw new Error('The call has ended.');
    this.#secrets ??= this.decision.api.secrets?.acquire();
    return this.#secrets;
  }

  cut(why: CutReason): void {
    if (this.#problem !== undefined) return;
    this.#problem = CUTS[why]();
    this.#handler?.cut(this.#problem);
  }

  tick(): void {
    if (this.#answering) this.succeeded();
    this.#handler?.tick?.();
  }

  /** A valid answer has begun. If it is still there at the next tick, it counts like one that ended well. */
  answering(): void {
    this.#answering = true;
  }

  /** The upstream has answered, whatever its status: a 5xx is an answer too, quick and for the caller to see. */
  succeeded(): void {
    if (this.#judged) return;
    this.#judged = true;
    this.decision.api.state.circuit.succeeded(this.#isProbe);
  }

  /** What the call failed of; it is held against the upstream only where the upstream is to blame. */
  failed(err: unknown): void {
    if (!(err instanceof ProblemError && UPSTREAM_FAILURES.has(err.code))) return;
    this.#judged = true;
    const { state } = this.decision.api;
    state.circuit.failed(this.#isProbe, this.decision.limits.circuit_failures);
  }

  /** Gives the place back; further calls do nothing. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#secrets !== undefined) this.decision.api.secrets!.release();
    this.#tenant.calls -= 1;
    this.decision.api.state.inFlight -= 1;
    if (!this.#judged) this.decision.api.state.circuit.abandoned(this.#isProbe);
    this.#live.remove(this);
  }
}

const UPSTREAM_FAILURES: ReadonlySet<ProblemCode> = new Set([
  'dns_failed',
  'dns_timeout',
  'connect_failed',
  'connect_timeout',
  'tls_failed',
  'upstream_invalid',
  'upstream_reset',
  'upstream_timeout',
]);

const CUTS: Record<CutReason, () => ProblemError> = {
  revoked: () => new ProblemError('unauthorized', 'The key, token, API or machine of this call was revoked.'),
  stopping: () => new ProblemError('shutting_down', 'The forwarder is stopping.'),
};
