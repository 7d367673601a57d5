import type { OperatorRecord } from '../catalogue/operator.ts';

/** A machine's own operator as it is kept. */
export interface StoredOperator {
  machineId: string;
  record: OperatorRecord;
  createdAt: Date;
  updatedAt: Date;
}

/** Operators belong to a machine: every read takes its id, so no query can cross tenants. */
export interface OwnOperatorStore {
  /** @throws ProblemError `operator_exists` when the machine has one of that id. */
  insert(operator: StoredOperator): Promise<void>;
  /** Keeps `createdAt`. @returns What is stored now; undefined when the machine has none of that id. */
  replace(machineId: string, record: OperatorRecord, updatedAt: Date): Promise<StoredOperator | undefined>;
  find(machineId: string, id: string): Promise<StoredOperator | undefined>;
  /** By id. */
  list(machineId: string): Promise<StoredOperator[]>;
  count(machineId: string): Promise<number>;
  /** @returns Whether there was one. */
  remove(machineId: string, id: string): Promise<boolean>;
}

/** A computation as it is kept: what proves it, and not its sweeps. */
export interface KeptComputation {
  id: string;
  machineId: string;
  operators: string[];
  /** null for a sweep. */
  value: number | null;
  unit: string;
  points: number;
  zeqond: number;
  computedAt: Date;
  proof: string;
}

export interface ComputationPage {
  limit: number;
  /** Id of the last computation already seen. */
  before?: string | undefined;
}

export interface ComputationStore {
  /** Adding one again changes nothing, so a batch that failed half-way may be added again. */
  add(computations: readonly KeptComputation[]): Promise<void>;
  /** The newest first. An unknown `before` gives an empty page. */
  list(machineId: string, page: ComputationPage): Promise<KeptComputation[]>;
  /** Drops what is older than a moment, and the oldest beyond a number, of all machines together. */
  trim(olderThan: Date, keep: number): Promise<void>;
}

/** Both stores of one database. Whatever it cannot do now is a ProblemError `database_unavailable`. */
export interface Stores {
  operators: OwnOperatorStore;
  computations: ComputationStore;
  /** Removes everything a machine has. */
  removeMachine(machineId: string): Promise<void>;
  /** @throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
