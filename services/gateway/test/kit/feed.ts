import { EventEmitter } from 'node:events';
import type { Change } from '@zeq/contracts';

/** A change feed in the hand of a test. */
export class FakeFeed extends EventEmitter<{ change: [Change]; reset: [] }> {
  fresh = true;
  lastHeardAt = 0;
  generation = 0;

  isFresh(): boolean {
    return this.fresh;
  }

  change(what: Change['what'], id: string, machineId = 'mch_0000000000000000000000'): void {
    this.generation += 1;
    this.emit('change', { type: 'change', seq: this.generation, what, machine_id: machineId, id });
  }

  reset(): void {
    this.generation += 1;
    this.emit('reset');
  }
}
