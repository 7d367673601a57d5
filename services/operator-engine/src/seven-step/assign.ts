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
  const linking = new Linking(operator, quantities);
  linking.pass('name', byName);
  linking.pass('words', bySpokenWords);
  linking.pass('dimension', byDimension);
  return { inputs: linking.inputs, unused: linking.left.length, warnings: linking.warnings };
}

/** Chooses among the parameters that are still open. */
type Choice = (quantity: FoundQuantity, open: readonly Parameter[]) => Parameter | undefined;

/** What has been linked so far, and what is left on both sides. */
class Linking {
  readonly inputs: ParsedInput[] = [];
  readonly warnings: string[] = [];
  left: readonly FoundQuantity[];
  #open: readonly Parameter[];
  readonly #id: string;

  constructor({ id, computable }: Operator, quantities: readonly FoundQuantity[]) {
    this.#id = id;
    this.#open = (computable?.parameters ?? []).filter(({ isFixed }) => !isFixed);
    this.left = quantities;
  }

  pass(how: ParsedInput['how'], choose: Choice): void {
    this.left = this.left.filter((quantity) => {
      const parameter = choose(quantity, this.#open);
      if (parameter !== undefined) this.#link(quantity, parameter, how);
      return parameter === undefined;
    });
  }

  #link(quantity: FoundQuantity, parameter: Parameter, how: ParsedInput['how']): void {
    const { name, unit } = parameter;
    if (how === 'dimension' && this.#open.filter((each) => isMeasuredIn(quantity, each)).length > 1)
      this.warnings.push(`${this.#id}.${name} was taken by the order of the text`);
    this.#open = this.#open.filter((each) => each !== parameter);
    this.inputs.push({ operator: this.#id, name, value: quantity.value, unit, how });
  }
}

const byName: Choice = (quantity, open) =>
  open.find((parameter) => parameter.name === quantity.named && fits(quantity, parameter));

/** Required ones first. Between two pure numbers there is no telling: any ratio fits any ratio. */
const byDimension: Choice = (quantity, open) => {
  const fitting = open.filter((parameter) => isMeasuredIn(quantity, parameter));
  const [first] = preferRequired(fitting);
  return first !== undefined && fitting.length > 1 && isPure(first.dimensions) ? undefined : first;
};

/** A bare number may be in the parameter's own unit; one with a unit has to agree. */
const fits = (quantity: FoundQuantity, parameter: Parameter): boolean =>
  quantity.dimensions === undefined || isMeasuredIn(quantity, parameter);

const isMeasuredIn = ({ dimensions }: FoundQuantity, parameter: Parameter): boolean =>
  dimensions !== undefined && sameDimensions(dimensions, parameter.dimensions);

const bySpokenWords: Choice = (quantity, open) => {
  const scored = open
    .filter((parameter) => fits(quantity, parameter))
    .map((parameter) => ({ parameter, score: spokenScore(quantity.before, parameter) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  const [best, second] = scored;
  return best !== undefined && best.score > (second?.score ?? 0) ? best.parameter : undefined;
};

/** Nearer words count more. */
function spokenScore(before: readonly string[], { name, description }: Parameter): number {
  const described = new Set([...wordsOf(description), name.toLowerCase()]);
  return before.reduce((sum, word, i) => sum + (described.has(word) ? 1 + i / before.length : 0), 0);
}

function preferRequired(parameters: readonly Parameter[]): readonly Parameter[] {
  const required = parameters.filter(({ default: preset }) => preset === null);
  return required.length > 0 ? required : parameters;
}
