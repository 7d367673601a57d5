import type { SealedField } from '@zeq/crypto';
import type { KidCount, StoredApi } from './api-store.ts';

export interface Rotation {
  id: number;
  toKid: string;
  state: 'running' | 'done' | 'cancelled';
  rowsTotal: number;
  rowsDone: number;
  startedAt: Date;
  finishedAt: Date | null;
}

/** A credential in its new form. */
export interface Reencrypted {
  rowId: string;
  credential: SealedField;
}

/** The rows of every encrypted column, and the runs that move them to another master key. */
export interface RotationStore {
  /** Credentials by the master key they are under. */
  countByKid(): Promise<KidCount[]>;
  /** Of those that are not under `kid`, how many a run to it could not open. */
  countFailed(kid: string): Promise<number>;
  latest(): Promise<Rotation | undefined>;
  /** Starts a run and forgets the failures of earlier ones. @throws ProblemError `rotation_running` */
  start(toKid: string, rowsTotal: number): Promise<Rotation>;
  /** @returns Whether one was running. */
  finish(state: 'done' | 'cancelled', finishedAt: Date): Promise<boolean>;
  /**
   * Takes rows that are under one of `fromKids` and have not failed, for this transaction alone: rows that others work on are passed
   * over, so that several vaults share the work and nobody waits.
   */
  take(fromKids: readonly string[], limit: number): Promise<StoredApi[]>;
  /** All rows of one machine, for a new salt. The machine has to be held. */
  takeMachine(machineId: string): Promise<StoredApi[]>;
  /** Writes credentials in their new form; nothing else of the rows changes. */
  replace(rows: readonly Reencrypted[]): Promise<void>;
  noteFailure(rowId: string, kid: string): Promise<void>;
  /** Adds to the run's count. @returns Whether it still runs: a batch of a cancelled run is to be rolled back. */
  addDone(id: number, rows: number): Promise<boolean>;
}
