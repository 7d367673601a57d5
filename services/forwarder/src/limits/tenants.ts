import { Returns } from './returns.ts';

/** What one machine has in flight in this process. */
export interface Tenant {
  calls: number;
  readonly returns: Returns;
}

const SWEEP_ABOVE = 10_000;

/** Machines by id. One without calls is forgotten only when there are many, so the usual call makes nothing new. */
export class Tenants {
  readonly #byId = new Map<string, Tenant>();
  #sweepAt = SWEEP_ABOVE;

  of(machineId: string): Tenant {
    let tenant = this.#byId.get(machineId);
    if (tenant === undefined) {
      if (this.#byId.size >= this.#sweepAt) this.#sweep();
      tenant = { calls: 0, returns: new Returns() };
      this.#byId.set(machineId, tenant);
    }
    return tenant;
  }

  #sweep(): void {
    for (const [id, { calls }] of this.#byId) if (calls === 0) this.#byId.delete(id);
    this.#sweepAt = Math.max(SWEEP_ABOVE, this.#byId.size * 2);
  }
}
