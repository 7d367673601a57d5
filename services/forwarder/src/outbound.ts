import { ProblemError } from '@zeq/service-kit';
import type { ApiStates } from './api-state.ts';
import { type Ask, decide } from './decide.ts';
import type { Guard } from './guard.ts';
import type { ForwardCaller } from './identity.ts';
import type { LeaseCache } from './lease-cache.ts';
import type { LeasedApi } from './leased-api.ts';
import { takeLimits } from './limits.ts';
import type { LiveCalls } from './live-calls.ts';
import { Passage } from './passage.ts';

export interface OutboundDeps {
  leases: LeaseCache;
  guard: Guard;
  states: ApiStates;
  live: LiveCalls;
  /** Calls that this process carries at once. */
  maxCalls: number;
}

export interface OutboundAsk extends Ask {
  caller: ForwardCaller;
  /** The API's id or name. */
  ref: string;
}

/** The one way out: every call, test and socket is admitted here, in this order. */
export class Outbound {
  readonly #deps: OutboundDeps;

  constructor(deps: OutboundDeps) {
    this.#deps = deps;
  }

  /**
   * Lease, decision, limits, guard: the cheap refusals first, and no name is resolved before a rule allows the call. The
   * passage has to be released when the call has ended.
   *
   * @param now Monotonic ms.
   * @throws ProblemError of whatever refuses; nothing is held then.
   */
  async admit(ask: OutboundAsk, now: number): Promise<Passage> {
    const { leases, states, live, guard, maxCalls } = this.#deps;
    const { machine_id: machineId } = ask.caller;
    const api = leases.held(machineId, ask.ref, now) ?? (await this.#fetch(machineId, ask.ref, now));
    const decision = decide(ask, api);
    if (!decision.allowed) throw new ProblemError(decision.code, decision.detail);
    if (live.size >= maxCalls)
      throw new ProblemError('overloaded', 'The forwarder carries as many calls as it can.', {
        retryAfter: 1,
      });
    takeLimits(decision, states, now);
    const passage = new Passage(ask.caller, decision, live);
    try {
      const addresses = guard.addresses(decision, now);
      passage.addresses = addresses instanceof Promise ? await addresses : addresses;
      passage.requireUncut();
      return passage;
    } catch (err) {
      passage.release();
      throw err;
    }
  }

  async #fetch(machineId: string, ref: string, now: number): Promise<LeasedApi> {
    const api = await this.#deps.leases.fetch(machineId, ref, now);
    if (api === undefined) throw new ProblemError('not_found', 'There is no such machine or API.');
    return api;
  }
}
