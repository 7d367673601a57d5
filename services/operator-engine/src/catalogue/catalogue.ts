import { readFileSync } from 'node:fs';
import { describeIssues } from '@zeq/service-kit';
import { buildOperator, type Operator, OperatorError, OperatorRecord } from './operator.ts';

export const KO42 = 'KO42';

/** The built-in operators. Read-only after the start, so everything that is derived from it may be computed once. */
export interface Catalogue {
  /** In the order of the data; KO42 is the first. */
  readonly operators: readonly Operator[];
  readonly byId: ReadonlyMap<string, Operator>;
  readonly byCategory: ReadonlyMap<string, readonly Operator[]>;
}

/** Reads the catalogue's file. @throws Error that names the first bad record: a service with a wrong formula must not start. */
export function loadCatalogue(path: string | URL): Catalogue {
  let records: unknown;
  try {
    records = JSON.parse(readFileSync(path, 'utf8'));
  } catch (err) {
    throw new Error('the operator catalogue cannot be read', { cause: err });
  }
  if (!Array.isArray(records)) throw new Error('the operator catalogue is not a list');
  return buildCatalogue(records);
}

/** Checks every record and indexes them. @throws Error that names the first bad record and what is wrong with it. */
export function buildCatalogue(records: readonly unknown[]): Catalogue {
  const byId = new Map<string, Operator>();
  const tiers = new Map<string, number>();
  records.forEach((record, index) => {
    try {
      const operator = readRecord(record);
      if (byId.has(operator.id)) throw new OperatorError('its id is taken by an earlier record');
      requireOneTier(tiers, operator);
      byId.set(operator.id, operator);
    } catch (err) {
      if (!(err instanceof OperatorError)) throw err;
      throw new Error(`operator catalogue, record ${index + 1} (${idOf(record)}): ${err.message}`);
    }
  });
  const operators = [...byId.values()];
  if (operators[0]?.id !== KO42) throw new Error('operator catalogue: KO42 is not the first record');
  return { operators, byId, byCategory: Map.groupBy(operators, ({ record }) => record.category) };
}

function readRecord(record: unknown): Operator {
  const parsed = OperatorRecord.safeParse(record);
  if (!parsed.success) throw new OperatorError(describeIssues(parsed.error));
  return buildOperator(parsed.data);
}

/** A category has one tier: `tier` filters and `category` filters must not contradict each other. */
function requireOneTier(tiers: Map<string, number>, { record }: Operator): void {
  const tier = tiers.get(record.category) ?? record.tier;
  if (tier !== record.tier) throw new OperatorError('its tier differs from that of its category');
  tiers.set(record.category, tier);
}

function idOf(record: unknown): string {
  const id = (record as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id.slice(0, 64) : 'without an id';
}
