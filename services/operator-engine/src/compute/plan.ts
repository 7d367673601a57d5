import { MAX_OPERATORS, OPERATOR_ID } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import { KO42 } from '../catalogue/catalogue.ts';
import type { Operator } from '../catalogue/operator.ts';

/** The operators of one computation, in the order in which they run. */
export interface Plan {
  /** As the record of the computation names them: KO42 first, whether it was asked for or not. */
  readonly ids: readonly string[];
  /** Those that were asked for. */
  readonly operators: readonly Operator[];
  /** KO42 was not asked for: it stamps the result and computes nothing. */
  readonly ko42Added: boolean;
}

/** Finds an operator by its id: a built-in one, or one of the caller's own machine. */
export type Resolve = (id: string) => Promise<Operator | undefined>;

/**
 * Puts a computation together: KO42 first, then the others in the order given.
 *
 * @throws ProblemError `ko42_excluded`, `too_many_operators`, `operator_not_found`, `invalid_query` for none at all or one twice.
 */
export async function planOperators(
  ids: readonly string[],
  excludeKo42: boolean,
  resolve: Resolve,
): Promise<Plan> {
  if (excludeKo42)
    throw new ProblemError('ko42_excluded', 'KO42 is part of every computation and cannot be left out.');
  const others = ids.filter((id) => id !== KO42);
  if (ids.length === 0) throw new ProblemError('invalid_query', 'Name an operator: ?operator=ID.');
  if (new Set(ids).size !== ids.length)
    throw new ProblemError('invalid_query', 'An operator can be named once in a computation.');
  if (others.length >= MAX_OPERATORS)
    throw new ProblemError(
      'too_many_operators',
      `A computation has at most ${MAX_OPERATORS} operators, KO42 among them.`,
    );
  const ko42Added = others.length === ids.length;
  const operators = await Promise.all((ko42Added ? others : [KO42, ...others]).map(findWith(resolve)));
  return { ids: [KO42, ...others], operators, ko42Added };
}

const findWith =
  (resolve: Resolve) =>
  async (id: string): Promise<Operator> => {
    const operator = OPERATOR_ID.test(id) ? await resolve(id) : undefined;
    if (operator === undefined)
      throw new ProblemError('operator_not_found', 'The catalogue has no such operator.');
    return operator;
  };
