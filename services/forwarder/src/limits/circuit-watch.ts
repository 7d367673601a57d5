import type { Logger } from '@zeq/service-kit';
import type { CircuitState } from './circuit.ts';

/** Counts what circuits do and says it in the log: an API that is held back is somebody's outage. */
export class CircuitWatch {
  /** Changes by the state that was entered. */
  readonly changes: Record<CircuitState, number> = { open: 0, half_open: 0, closed: 0 };
  readonly #held = new Set<string>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** APIs whose circuit is not closed. */
  get held(): number {
    return this.#held.size;
  }

  changed(apiId: string, to: CircuitState): void {
    this.changes[to] += 1;
    if (to === 'closed') this.#held.delete(apiId);
    else this.#held.add(apiId);
    if (to === 'open') this.#log.warn({ api_id: apiId }, 'the upstream keeps failing: calls are held back');
    else if (to === 'closed') this.#log.info({ api_id: apiId }, 'the upstream answers again');
  }
}
