import { MAX_OPERATORS, type MissingInput, type ParsedIntent } from '@zeq/contracts';
import { KO42 } from '../catalogue/catalogue.ts';
import type { Operator } from '../catalogue/operator.ts';
import type { Resolve } from '../compute/plan.ts';
import { type Assignment, assignQuantities } from './assign.ts';
import type { OperatorIndex } from './operator-index.ts';
import { type FoundQuantity, findQuantities } from './quantities.ts';

const CANDIDATES = 3;
/** So many of the best by words are looked at for whether the quantities fit. */
const LOOKED_AT = 24;
/** What a fitting quantity, and a required input that the text gives, add to the score of the words. */
const FIT_BONUS = 2;
const COMPLETE_BONUS = 3;

interface Fit {
  operator: Operator;
  score: number;
  coverage: number;
  assignment: Assignment;
}

/** From words to operators and inputs, by rules alone: the same text always gives the same answer. */
export async function parseIntent(
  text: string,
  index: OperatorIndex,
  resolve: Resolve,
): Promise<ParsedIntent> {
  const quantities = findQuantities(text);
  const named = await namedOperators(text, resolve);
  const candidates = index.find(wordsBetween(text, quantities), LOOKED_AT).map(fitWith(quantities));
  candidates.sort((a, b) => b.score - a.score);
  const chosen =
    named.length > 0 ? named.map((operator) => assigned(operator, quantities)) : candidates.slice(0, 1);
  const [best] = chosen;
  return {
    domain: best?.operator.record.category ?? null,
    confidence: named.length > 0 ? 1 : confidenceOf(candidates),
    operators: [KO42, ...chosen.map(({ operator }) => operator.id)],
    candidates: candidates.slice(0, CANDIDATES).map(({ operator, score }) => ({
      id: operator.id,
      name: operator.record.name,
      score: round(score),
    })),
    inputs: chosen.flatMap(({ assignment }) => assignment.inputs),
    missing: chosen.flatMap(({ operator, assignment }) => missingOf(operator, assignment)),
    warnings: warningsOf(chosen, quantities),
    source: 'rules',
  };
}

/** The text without its quantities: a unit is no topic. */
function wordsBetween(text: string, quantities: readonly FoundQuantity[]): string {
  const starts = [0, ...quantities.map(({ end }) => end)];
  const ends = [...quantities.map(({ start }) => start), text.length];
  return starts.map((start, i) => text.slice(start, ends[i])).join(' ');
}

/** Ids that stand in the text in capitals, in their order. */
async function namedOperators(text: string, resolve: Resolve): Promise<Operator[]> {
  const ids = [...new Set(text.match(/\b[A-Z][A-Z0-9_-]{2,63}\b/g) ?? [])].filter((id) => id !== KO42);
  const found = await Promise.all(ids.slice(0, 8).map(resolve));
  return found
    .filter((operator) => operator?.computable !== undefined)
    .slice(0, MAX_OPERATORS - 1) as Operator[];
}

const fitWith =
  (quantities: readonly FoundQuantity[]) =>
  ({ operator, score, coverage }: { operator: Operator; score: number; coverage: number }): Fit => {
    const { assignment } = assigned(operator, quantities);
    const required = operator.computable!.parameters.filter(({ default: preset }) => preset === null).length;
    const given = quantities.length === 0 ? 0 : assignment.inputs.length / quantities.length;
    const complete = required === 0 ? 0 : 1 - missingOf(operator, assignment).length / required;
    const bonus = quantities.length === 0 ? 0 : FIT_BONUS * given + COMPLETE_BONUS * complete;
    return { operator, score: score + bonus, coverage, assignment };
  };

const assigned = (operator: Operator, quantities: readonly FoundQuantity[]): Fit => ({
  operator,
  score: 0,
  coverage: 1,
  assignment: assignQuantities(operator, quantities),
});

function missingOf({ id, computable }: Operator, { inputs }: Assignment): MissingInput[] {
  const given = new Set(inputs.map(({ name }) => name));
  return (computable?.parameters ?? [])
    .filter(({ name, default: preset }) => preset === null && !given.has(name))
    .map(({ name, unit, description }) => ({ operator: id, name, unit, description }));
}

/** How much of the question the best one answers, less where the next is nearly as good. */
function confidenceOf([best, second]: readonly Fit[]): number {
  if (best === undefined) return 0;
  return round(best.coverage * (best.score / (best.score + (second?.score ?? 0) / 2)));
}

function warningsOf(chosen: readonly Fit[], quantities: readonly FoundQuantity[]): string[] {
  if (chosen.length === 0) return ['no operator fits these words'];
  const unused = Math.min(...chosen.map(({ assignment }) => assignment.unused));
  const warnings = chosen.flatMap(({ assignment }) => assignment.warnings);
  return quantities.length > 0 && unused > 0
    ? [...warnings, `${unused} of the quantities in the text fit no input`]
    : warnings;
}

const round = (value: number) => Math.round(value * 1000) / 1000;
