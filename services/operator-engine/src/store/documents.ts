import { OperatorRecord } from '../catalogue/operator.ts';
import type { KeptComputation, StoredOperator } from './store.ts';

/** The documents of both adapters: one shape, so that files and server hold the same thing. */
export interface OperatorDocument {
  /** Machine and id: unique together by being the key. */
  _id: string;
  machineId: string;
  /** JSON text: names of parameters in test vectors must not become field names of the database. */
  record: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface ComputationDocument extends Omit<KeptComputation, 'id'> {
  _id: string;
}

export const operatorKey = (machineId: string, id: string): string => `${machineId}/${id}`;

export const operatorDocument = ({
  machineId,
  record,
  createdAt,
  updatedAt,
}: StoredOperator): OperatorDocument => ({
  _id: operatorKey(machineId, record.id),
  machineId,
  record: JSON.stringify(record),
  createdAt,
  updatedAt,
});

/** @throws when the stored record no longer fits: an error of ours, never a guess. */
export const toOperator = ({
  machineId,
  record,
  createdAt,
  updatedAt,
}: OperatorDocument): StoredOperator => ({
  machineId,
  record: OperatorRecord.parse(JSON.parse(record)),
  createdAt,
  updatedAt,
});

export const computationDocument = ({ id, ...rest }: KeptComputation): ComputationDocument => ({
  _id: id,
  ...rest,
});

/** Field by field: a database may add its own. */
export const toComputation = (document: ComputationDocument): KeptComputation => ({
  id: document._id,
  machineId: document.machineId,
  operators: document.operators,
  value: document.value,
  unit: document.unit,
  points: document.points,
  zeqond: document.zeqond,
  computedAt: document.computedAt,
  proof: document.proof,
});
