import { type Feed, type Logger, safeError } from '@zeq/service-kit';
import type { Stores } from './store/store.ts';

/** What a removed machine left here goes with it. Ids are never used again, so what is missed is never seen by another. */
export function forgetRemovedMachines(feed: Feed, stores: Pick<Stores, 'removeMachine'>, log: Logger): void {
  feed.on('change', ({ what, machine_id: machineId }) => {
    if (what !== 'machine_removed') return;
    stores.removeMachine(machineId).catch((err: unknown) => {
      log.warn({ err: safeError(err), machine_id: machineId }, 'a removed machine left operators behind');
    });
  });
}
