import type { DraftApi } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { LeaseCache } from '../leases/lease-cache.ts';
import type { LeasedApi } from '../leases/leased-api.ts';
import type { ApiStates } from '../limits/api-state.ts';
import type { CallWindows } from '../limits/call-windows.ts';
import { requireCircuit, requireRoom, requireShare, takeLimits } from '../limits/limits.ts';
import type { Tenants } from '../limits/tenants.ts';
import type { CallRecord } from '../usage/call-record.ts';
import { type Ask, decide } from './decide.ts';
import type { Guard } from './guard.ts';
import type { ForwardCaller } from './identity.ts';
import type { LiveCalls } from './live-calls.ts';
import { Passage } from './passage.ts';

export interface OutboundDeps {
  leases: LeaseCache;
  /** Leases what is not saved; undefined when there is no such machine. */
  leaseDraft: (machineId: string, draft: DraftApi) => Promise<LeasedApi | undefined>;
  guard: Guard;
  states: ApiStates;
  tenants: Tenants;
  windows: CallWindows;
  live: LiveCalls;
  /** Calls that this process carries at once. */
  maxCalls: number;
  /** Whether one more call can be recorded beside so many open ones. */
  canRecord: (open: number) => boolean;
}

export interface DraftAsk extends Ask {
  caller: ForwardCaller;
  /** The account of this call, which is told its API before anything is decided; what is not saved has none. */
  record?: CallRecord;
}

export interface OutboundAsk extends DraftAsk {
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
   * Lease, decision, shares, circuit, limits, guard: the cheap refusals first, and no name is resolved before a rule allows the call. The
   * passage has to be released when the call has ended.
   *
   * @param now Monotonic ms.
   * @returns At once, without a promise, when lease and addresses are known and the count is this process's own: then the
   * usual call waits for nothing.
   * @throws ProblemError of whatever refuses, or rejects with it; nothing is held then.
   */
  admit(ask: OutboundAsk, now: number): Passage | Promise<Passage> {
    const { leases } = this.#deps;
    const held = leases.held(ask.caller.machine_id, ask.ref, now);
    if (held !== undefined) return this.#admit(ask, held, now);
    return leases.fetch(ask.caller.machine_id, ask.ref, now).then((api) => this.#admit(ask, api, now));
  }

  /** The same for a registration that is not saved: it is leased for this one call. */
  async admitDraft(ask: DraftAsk, draft: DraftApi, now: number): Promise<Passage> {
    const api = await this.#deps.leaseDraft(ask.caller.machine_id, draft);
    return this.#admit(ask, api, now);
  }

  #admit(ask: DraftAsk, api: LeasedApi | undefined, now: number): Passage | Promise<Passage> {
    const { states, tenants, windows, guard, live, maxCalls, canRecord } = this.#deps;
    if (api === undefined) throw new ProblemError('not_found', 'There is no such machine or API.');
    if (!canRecord(live.size)) throw unrecordable(); // before the call is its API's: there is no room for this refusal either
    if (ask.record !== undefined) ask.record.api = api;
    const decision = decide(ask, api);
    if (!decision.allowed) throw new ProblemError(decision.code, decision.detail);
    const tenant = tenants.of(api.lease.machine_id);
    requireShare(tenant, live.size, maxCalls, now);
    requireRoom(decision, now);
    requireCircuit(decision, now);
    const passage = new Passage(ask.caller, decision, live, tenant);
    try {
      const counted = takeLimits(decision, windows, states, now);
      if (counted !== undefined) return releaseOnFailure(passage, this.#guardLater(passage, counted, now));
      const addresses = guard.addresses(decision, now);
      if (addresses instanceof Promise) return releaseOnFailure(passage, addresses);
      passage.addresses = addresses;
      return passage;
    } catch (err) {
      passage.release();
      throw err;
    }
  }

  /** The guard after a count that had to be asked for: no name is resolved for a call that is refused. */
  async #guardLater(passage: Passage, counted: Promise<void>, now: number): Promise<readonly string[]> {
    await counted;
    return this.#deps.guard.addresses(passage.decision, now);
  }
}

const unrecordable = () =>
  new ProblemError('overloaded', 'Too many calls wait to be recorded, and none goes out unrecorded.', {
    retryAfter: 1,
  });

async function releaseOnFailure(passage: Passage, addresses: Promise<readonly string[]>): Promise<Passage> {
  try {
    passage.addresses = await addresses;
    passage.requireUncut();
    return passage;
  } catch (err) {
    passage.failed(err); // a name that does not resolve is an upstream that cannot be reached
    passage.release();
    throw err;
  }
}
