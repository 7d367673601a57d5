import { type CustomOperator, TIER_LABELS } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { Catalogue } from './catalogue/catalogue.ts';
import { buildOperator, type Operator, OperatorError, type OperatorRecord } from './catalogue/operator.ts';
import type { OwnOperatorStore, StoredOperator } from './store/store.ts';

export const MAX_OWN_OPERATORS = 200;

/** A machine's own operator, ready to compute. */
export interface OwnOperator {
  operator: Operator;
  createdAt: Date;
  updatedAt: Date;
}

export interface OwnOperatorsDeps {
  catalogue: Catalogue;
  store: OwnOperatorStore;
  now: () => number;
}

/** The operators that machines add for themselves. They are checked like built-in ones and never take a built-in id. */
export class OwnOperators {
  readonly #deps: OwnOperatorsDeps;

  constructor(deps: OwnOperatorsDeps) {
    this.#deps = deps;
  }

  /** A built-in operator, or the machine's own. @throws ProblemError `database_unavailable`, for ids that are not built in. */
  async resolve(machineId: string | undefined, id: string): Promise<Operator | undefined> {
    const builtIn = this.#deps.catalogue.byId.get(id);
    if (builtIn !== undefined || machineId === undefined) return builtIn;
    const stored = await this.#deps.store.find(machineId, id);
    return stored && toOwn(stored).operator;
  }

  async list(machineId: string): Promise<OwnOperator[]> {
    return (await this.#deps.store.list(machineId)).map(toOwn);
  }

  /** @throws ProblemError `operator_not_found` */
  async find(machineId: string, id: string): Promise<OwnOperator> {
    return toOwn((await this.#deps.store.find(machineId, id)) ?? notFound());
  }

  /** @throws ProblemError `invalid_operator`, `operator_exists`, `conflict` when the machine has as many as it may. */
  async add(machineId: string, custom: CustomOperator): Promise<OwnOperator> {
    const operator = this.#build(custom);
    if ((await this.#deps.store.count(machineId)) >= MAX_OWN_OPERATORS)
      throw new ProblemError('conflict', `A machine may have ${MAX_OWN_OPERATORS} operators of its own.`);
    const now = new Date(this.#deps.now());
    await this.#deps.store.insert({ machineId, record: operator.record, createdAt: now, updatedAt: now });
    return { operator, createdAt: now, updatedAt: now };
  }

  /** @throws ProblemError `invalid_operator`, `operator_not_found` */
  async replace(machineId: string, custom: CustomOperator): Promise<OwnOperator> {
    const operator = this.#build(custom);
    const now = new Date(this.#deps.now());
    const stored = (await this.#deps.store.replace(machineId, operator.record, now)) ?? notFound();
    return { operator, createdAt: stored.createdAt, updatedAt: stored.updatedAt };
  }

  /** @throws ProblemError `operator_not_found` */
  async remove(machineId: string, id: string): Promise<void> {
    if (!(await this.#deps.store.remove(machineId, id))) notFound();
  }

  #build(custom: CustomOperator): Operator {
    if (this.#deps.catalogue.byId.has(custom.id))
      throw new ProblemError('operator_exists', 'The catalogue has an operator of that id.');
    const tierLabel = TIER_LABELS[custom.tier - 1]!;
    const record: OperatorRecord = { ...custom, tierLabel, provenance: 'custom' };
    try {
      return buildOperator(record);
    } catch (err) {
      if (err instanceof OperatorError) throw new ProblemError('invalid_operator', `${err.message}.`);
      throw err;
    }
  }
}

const toOwn = ({ record, createdAt, updatedAt }: StoredOperator): OwnOperator => ({
  operator: buildOperator(record),
  createdAt,
  updatedAt,
});

function notFound(): never {
  throw new ProblemError('operator_not_found', 'The machine has no such operator.');
}
