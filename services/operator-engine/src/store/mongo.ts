import { ProblemError } from '@zeq/service-kit';
import { type Collection, MongoClient, MongoError, MongoServerError } from 'mongodb';
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

const SELECT_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 10_000;
const DUPLICATE_KEY = 11_000;

interface Collections {
  operators: Collection<OperatorDocument>;
  computations: Collection<ComputationDocument>;
}

/** A database that may be away: every call of it states so as a problem. */
type Guard = <T>(work: (collections: Collections) => Promise<T>) => Promise<T>;

/**
 * Opens the store on a MongoDB server. It connects when it is first used, and again whenever it has to, so an engine starts and
 * serves the built-in catalogue without its database.
 */
export function openMongo(url: string): Stores {
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: SELECT_WITHIN_MS,
    connectTimeoutMS: SELECT_WITHIN_MS,
    socketTimeoutMS: ANSWER_WITHIN_MS,
  });
  const guard = guardOf(client);
  return {
    operators: operatorStore(guard),
    computations: computationStore(guard),
    removeMachine: (machineId) =>
      guard(async ({ operators, computations }) => {
        await operators.deleteMany({ machineId });
        await computations.deleteMany({ machineId });
      }),
    ping: () =>
      guard(async () => {
        await client.db().command({ ping: 1 });
      }),
    close: () => client.close(),
  };
}

function guardOf(client: MongoClient): Guard {
  let ready: Promise<Collections> | undefined;
  return async (work) => {
    try {
      ready ??= prepare(client);
      return await work(await ready);
    } catch (err) {
      if (!(err instanceof MongoError) || err instanceof MongoServerError) throw err;
      ready = undefined;
      throw new ProblemError('database_unavailable', 'The operator store cannot be reached; try again.', {
        cause: err,
      });
    }
  };
}

async function prepare(client: MongoClient): Promise<Collections> {
  // Said each time: a client whose very first connection failed stays closed, and no command of it would try another.
  await client.connect();
  const db = client.db();
  const operators = db.collection<OperatorDocument>('operators');
  const computations = db.collection<ComputationDocument>('computations');
  await operators.createIndex({ machineId: 1 });
  await computations.createIndex({ machineId: 1, computedAt: -1 });
  await computations.createIndex({ computedAt: -1 });
  return { operators, computations };
}

function operatorStore(guard: Guard): OwnOperatorStore {
  return {
    insert: (operator) =>
      guard(async ({ operators }) => {
        try {
          await operators.insertOne(operatorDocument(operator));
        } catch (err) {
          if (!(err instanceof MongoServerError) || err.code !== DUPLICATE_KEY) throw err;
          throw new ProblemError('operator_exists', 'The machine has an operator of that id.', {
            cause: err,
          });
        }
      }),
    replace: (machineId, record, updatedAt) =>
      guard(async ({ operators }) => {
        const found = await operators.findOneAndUpdate(
          { _id: operatorKey(machineId, record.id) },
          { $set: { record: JSON.stringify(record), updatedAt } },
          { returnDocument: 'after' },
        );
        return found === null ? undefined : toOperator(found);
      }),
    find: (machineId, id) =>
      guard(async ({ operators }) => {
        const found = await operators.findOne({ _id: operatorKey(machineId, id) });
        return found === null ? undefined : toOperator(found);
      }),
    list: (machineId) =>
      guard(async ({ operators }) =>
        (await operators.find({ machineId }).sort({ _id: 1 }).toArray()).map(toOperator),
      ),
    count: (machineId) => guard(({ operators }) => operators.countDocuments({ machineId })),
    remove: (machineId, id) =>
      guard(async ({ operators }) => {
        const { deletedCount } = await operators.deleteOne({ _id: operatorKey(machineId, id) });
        return deletedCount === 1;
      }),
  };
}

function computationStore(guard: Guard): ComputationStore {
  return {
    add: (batch) =>
      guard(async ({ computations }) => {
        const writes = batch.map(computationDocument).map(({ _id, ...replacement }) => ({
          replaceOne: { filter: { _id }, replacement, upsert: true },
        }));
        await computations.bulkWrite(writes, { ordered: false });
      }),
    list: (machineId, { limit, before }) =>
      guard(async ({ computations }) => {
        const last =
          before === undefined ? undefined : await computations.findOne({ _id: before, machineId });
        if (last === null) return [];
        const older = last && {
          $or: [
            { computedAt: { $lt: last.computedAt } },
            { computedAt: last.computedAt, _id: { $lt: last._id } },
          ],
        };
        const found = await computations
          .find({ machineId, ...older })
          .sort({ computedAt: -1, _id: -1 })
          .limit(limit)
          .toArray();
        return found.map(toComputation);
      }),
    trim: (olderThan, keep) =>
      guard(async ({ computations }) => {
        await computations.deleteMany({ computedAt: { $lt: olderThan } });
        const [last] = await computations
          .find({})
          .sort({ computedAt: -1, _id: -1 })
          .skip(keep - 1)
          .limit(1)
          .toArray();
        if (last !== undefined) await computations.deleteMany({ computedAt: { $lt: last.computedAt } });
      }),
  };
}
