import type { Caller, Change } from '@zeq/contracts';
import { SlotList, type Slotted } from '@zeq/service-kit';

/** A call that is open: a request, a stream or a socket. */
export interface LiveCall extends Slotted {
  readonly caller: Caller;
  readonly apiId: string;
  readonly machineId: string;
  /** Ends it visibly on both sides, because what it stands on was revoked or the service stops. */
  cut(why: CutReason): void;
  /** Called once a second, for what ends by silence. */
  tick?(): void;
}

export type CutReason = 'revoked' | 'stopping';

const TICK_MS = 1_000;

/** All open calls of this process. */
export class LiveCalls {
  readonly #calls = new SlotList<LiveCall>();
  readonly #ticker: NodeJS.Timeout;
  #drained: (() => void) | undefined;

  constructor() {
    this.#ticker = setInterval(() => {
      for (const call of this.#calls.all()) call.tick?.();
    }, TICK_MS).unref();
  }

  get size(): number {
    return this.#calls.size;
  }

  add(call: LiveCall): void {
    this.#calls.add(call);
  }

  remove(call: LiveCall): void {
    this.#calls.remove(call);
    if (this.#calls.size === 0) this.#drained?.();
  }

  /** Cuts the calls that a change has taken the ground from. A changed API is none: its calls may end as they began. */
  revoke(change: Change): void {
    for (const call of this.#calls.all()) {
      if (isRevoked(call, change)) call.cut('revoked');
    }
  }

  /** What the open calls stand on, for the time when changes may have been missed: the ids of their APIs and of their keys or tokens. */
  grounds(): string[] {
    const ids = new Set<string>();
    for (const { caller, apiId } of this.#calls.all())
      for (const id of [apiId, ...idsOf(caller)]) ids.add(id);
    return [...ids];
  }

  /** Cuts the calls that stand on this API, key or token. */
  cutOn(id: string): void {
    for (const call of this.#calls.all())
      if (call.apiId === id || idsOf(call.caller).includes(id)) call.cut('revoked');
  }

  /** Waits until no call is open, and cuts what is left after `withinMs`. A call that comes later all the same is not touched. */
  async drain(withinMs: number): Promise<void> {
    if (this.#calls.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = resolve;
    const timer = setTimeout(() => {
      for (const call of this.#calls.all()) call.cut('stopping');
      resolve();
    }, withinMs);
    await promise;
    clearTimeout(timer);
  }

  close(): void {
    clearInterval(this.#ticker);
  }
}

function idsOf(caller: Caller): string[] {
  if (caller.kind === 'owner') return [caller.key_id];
  return caller.kind === 'app' ? [caller.token_id] : [];
}

function isRevoked({ caller, apiId, machineId }: LiveCall, { what, id, machine_id }: Change): boolean {
  switch (what) {
    case 'machine_removed':
      return machineId === machine_id;
    case 'api_removed':
      return apiId === id;
    case 'key_revoked':
      return caller.kind === 'owner' && caller.key_id === id;
    case 'token_revoked':
      return caller.kind === 'app' && caller.token_id === id;
    case 'api_changed':
      return false;
  }
}
