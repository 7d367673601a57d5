import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import nedb from '@seald-io/nedb';
import { ProblemError } from '@zeq/service-kit';
import {
  type ComputationDocument,
  computationDocument,
  type OperatorDocument,
  operatorDocument,
  operatorKey,
  toComputation,
  toOperator,
} from './documents.ts';
import type { ComputationStore, OwnOperatorStore, Stores } from './store.ts';

/** Its types describe an ES module; what Node loads is CommonJS, whose export is the class itself. */
const Datastore = nedb as unknown as typeof nedb.default;
type Datastore<T> = InstanceType<typeof nedb.default<T>>;

const COMPACT_EVERY_MS = 5 * 60_000;

/** Opens the embedded store: files that one process owns. @throws when the folder cannot be written. */
export async function openNedb(dir: string): Promise<Stores> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const operators = await open<OperatorDocument>(join(dir, 'operators.db'), ['machineId']);
  const computations = await open<ComputationDocument>(join(dir, 'computations.db'), [
    'machineId',
    'computedAt',
  ]);
  return {
    operators: operatorStore(operators),
    computations: computationStore(computations),
    async removeMachine(machineId) {
      await operators.removeAsync({ machineId }, { multi: true });
      await computations.removeAsync({ machineId }, { multi: true });
    },
    async ping() {
      await operators.countAsync({ _id: 'ping' });
    },
    async close() {
      for (const db of [operators, computations]) {
        db.stopAutocompaction();
        await db.compactDatafileAsync();
      }
    },
  };
}

async function open<T extends { _id: string }>(
  filename: string,
  indexes: readonly string[],
): Promise<Datastore<T>> {
  const db = new Datastore<T>({ filename, modes: { fileMode: 0o600, dirMode: 0o700 } });
  await db.loadDatabaseAsync();
  for (const fieldName of indexes) await db.ensureIndexAsync({ fieldName });
  db.setAutocompactionInterval(COMPACT_EVERY_MS);
  return db;
}

function operatorStore(db: Datastore<OperatorDocument>): OwnOperatorStore {
  return {
    async insert(operator) {
      try {
        await db.insertAsync(operatorDocument(operator));
      } catch (err) {
        if (!isDuplicate(err)) throw err;
        throw new ProblemError('operator_exists', 'The machine has an operator of that id.', { cause: err });
      }
    },
    async replace(machineId, record, updatedAt) {
      const { affectedDocuments } = await db.updateAsync(
        { _id: operatorKey(machineId, record.id) },
        { $set: { record: JSON.stringify(record), updatedAt } },
        { returnUpdatedDocs: true },
      );
      const stored = affectedDocuments as unknown as OperatorDocument | null | undefined;
      return stored ? toOperator(stored) : undefined;
    },
    async find(machineId, id) {
      const found = await db.findOneAsync({ _id: operatorKey(machineId, id) });
      return found === null ? undefined : toOperator(found);
    },
    async list(machineId) {
      return (await db.findAsync({ machineId }).sort({ _id: 1 })).map(toOperator);
    },
    count: (machineId) => db.countAsync({ machineId }),
    async remove(machineId, id) {
      return (await db.removeAsync({ _id: operatorKey(machineId, id) }, {})) === 1;
    },
  };
}

const isDuplicate = (err: unknown) => (err as { errorType?: unknown }).errorType === 'uniqueViolated';

function computationStore(db: Datastore<ComputationDocument>): ComputationStore {
  return {
    async add(computations) {
      const documents = computations.map(computationDocument);
      try {
        await db.insertAsync(documents); // one write to the file
      } catch (err) {
        if (!isDuplicate(err)) throw err;
        for (const document of documents)
          await db.updateAsync({ _id: document._id }, document, { upsert: true });
      }
    },
    async list(machineId, { limit, before }) {
      const last = before === undefined ? undefined : await db.findOneAsync({ _id: before, machineId });
      if (last === null) return [];
      const older = last && {
        $or: [
          { computedAt: { $lt: last.computedAt } },
          { computedAt: last.computedAt, _id: { $lt: last._id } },
        ],
      };
      const found = await db
        .findAsync({ machineId, ...older })
        .sort({ computedAt: -1, _id: -1 })
        .limit(limit);
      return found.map(toComputation);
    },
    async trim(olderThan, keep) {
      await db.removeAsync({ computedAt: { $lt: olderThan } }, { multi: true });
      const [last] = await db
        .findAsync({})
        .sort({ computedAt: -1, _id: -1 })
        .skip(keep - 1)
        .limit(1);
      if (last !== undefined) await db.removeAsync({ computedAt: { $lt: last.computedAt } }, { multi: true });
    },
  };
}
