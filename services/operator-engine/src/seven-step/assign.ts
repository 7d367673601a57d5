import type { ParsedInput } from '@zeq/contracts';
import type { Operator, Parameter } from '../catalogue/operator.ts';
import { isPure, sameDimensions } from '../units/dimensions.ts';
import type { FoundQuantity } from './quantities.ts';
import { wordsOf } from './words.ts';

export interface Assignment {
  inputs: ParsedInput[];
  /** Quantities of the text that no parameter took. */
  unused: number;
  warnings: string[];
}

/**
 * Links the quantities of a text to the parameters of an operator: by a name said outright, then by the words around, then by the
 * dimension where it leaves no choice or, among equals, by their order.
 */
export function assignQuantities(operator: Operator, quantities: readonly FoundQuantity[]): Assignment {
  const open = new Map(
    (operator.computable?.parameters ?? [])
      .filter(({ isFixed }) => !isFixed)
      .map((parameter) => [parameter.name, parameter]),
  );
  const left = [...quantities];
  const inputs: ParsedInput[] = [];
  const warnings: string[] = [];
  const take = (quantity: FoundQuantity, parameter: Parameter, how: ParsedInput['how']) => {
    open.delete(parameter.name);
    left.splice(left.indexOf(quantity), 1);
    const { name, unit } = parameter;
    inputs.push({ operator: operator.id, name, value: quantity.value, unit, how });
  };
  for (const quantity of quantities) {
    const parameter = quantity.named === undefined ? undefined : open.get(quantity.named);
    if (parameter !== undefined && fits(quantity, parameter)) take(quantity, parameter, 'name');
  }
  for (const quantity of [...left]) {
    const parameter = bySpokenWords(quantity, [...open.values()]);
    if (parameter !== undefined) take(quantity, parameter, 'words');
  }
  for (const quantity of [...left]) {
    const fitting = [...open.values()].filter((parameter) => isMeasuredIn(quantity, parameter));
    const [first] = preferRequired(fitting);
    if (first === undefined || (fitting.length > 1 && isPure(first.dimensions))) continue; // any ratio fits any ratio
    if (fitting.length > 1) warnings.push(`${operator.id}.${first.name} was taken by the order of the text`);
    take(quantity, first, 'dimension');
  }
  return { inputs, unused: left.length, warnings };
}

/** A bare number may be in the parameter's own unit; one with a unit has to agree. */
const fits = (quantity: FoundQuantity, parameter: Parameter): boolean =>
  quantity.dimensions === undefined || isMeasuredIn(quantity, parameter);

const isMeasuredIn = ({ dimensions }: FoundQuantity, parameter: Parameter): boolean =>
  dimensions !== undefined && sameDimensions(dimensions, parameter.dimensions);

function bySpokenWords(quantity: FoundQuantity, open: readonly Parameter[]): Parameter | undefined {
  const scored = open
    .filter((parameter) => fits(quantity, parameter))
    .map((parameter) => ({ parameter, score: spokenScore(quantity.before, parameter) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  const [best, second] = scored;
  return best !== undefined && best.score > (second?.score ?? 0) ? best.parameter : undefined;
}

/** Nearer words count more. */
function spokenScore(before: readonly string[], { name, description }: Parameter): number {
  const described = new Set([...wordsOf(description), name.toLowerCase()]);
  return before.reduce((sum, word, i) => sum + (described.has(word) ? 1 + i / before.length : 0), 0);
}

function preferRequired(parameters: readonly Parameter[]): readonly Parameter[] {
  const required = parameters.filter(({ default: preset }) => preset === null);
  return required.length > 0 ? required : parameters;
}
