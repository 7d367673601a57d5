import type {
  ComputationRecord,
  OperatorDetails,
  OperatorSummary,
  OwnOperator as OwnOperatorView,
} from '@zeq/contracts';
import type { z } from 'zod';
import type { Operator } from './catalogue/operator.ts';
import type { OwnOperator } from './own-operators.ts';
import type { KeptComputation } from './store/store.ts';

/** `public` is anybody; `authenticated` is who showed a key or a session. */
export type ViewAudience = 'public' | 'authenticated';

/** The one place where it is decided which fields of an operator leave the engine, and to whom. */
export const viewOf = (
  audience: ViewAudience,
): ((operator: Operator) => OperatorSummary | OperatorDetails) =>
  audience === 'public' ? summaryOf : detailsOf;

function summaryOf({ record }: Operator): OperatorSummary {
  const { id, name, description, category, tier, tierLabel } = record;
  return { id, name, description, category, tier, tierLabel };
}

/** Neither the expression nor the test vectors: they are how the engine computes, not what the operator says. */
function detailsOf(operator: Operator): OperatorDetails {
  const { equation, equationLaTeX, founder, parameters, result, provenance } = operator.record;
  return {
    ...summaryOf(operator),
    equation,
    equationLaTeX,
    founder,
    computable: operator.computable !== undefined,
    parameters,
    result,
    provenance,
  };
}

/** To the machine that wrote it: all of it. */
export function ownView({ operator, createdAt, updatedAt }: OwnOperator): z.infer<typeof OwnOperatorView> {
  const { expression, testVectors } = operator.record;
  return {
    ...detailsOf(operator),
    expression,
    testVectors,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

export function computationView(kept: KeptComputation): ComputationRecord {
  const { id, operators, value, unit, points, zeqond, computedAt, proof } = kept;
  return { id, operators, value, unit, points, zeqond, computed_at: computedAt.toISOString(), proof };
}
