import {
  MAX_OPERATORS,
  MAX_PRECISION,
  type ParameterValue,
  type ProblemCode,
  type SevenStepResult,
  type StepRecord,
} from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { z } from 'zod';
import { KO42 } from '../catalogue/catalogue.ts';
import { type Computed, compute } from '../compute/compute.ts';
import { type Plan, planOperators, type Resolve } from '../compute/plan.ts';
import type { Prover } from '../compute/proof.ts';
import { differingOperator } from '../compute/second-opinion.ts';
import { stamp } from '../compute/stamp.ts';
import type { OperatorIndex } from './operator-index.ts';
import { parseIntent } from './parse-intent.ts';

export interface StepRequest {
  query?: string | undefined;
  operators?: readonly string[] | undefined;
  params: Readonly<Record<string, ParameterValue>>;
  excludeKo42: boolean;
  precision: number | undefined;
}

export interface StepDeps {
  index: OperatorIndex;
  resolve: Resolve;
  prover: Prover;
  nowMs: number;
}

type Result = z.infer<typeof SevenStepResult>;

export const STEP_NAMES = [
  'KO42 is part of it and comes first',
  'one to three more operators',
  'operators, domain and inputs fit',
  'tuned to 0.1 percent',
  'compiled',
  'executed',
  'verified',
] as const;

/**
 * The seven steps. `lenient` fills in what is missing and notes it; `strict` fills in nothing.
 *
 * @throws ProblemError of the step that failed, with its number as the member `step`.
 */
export async function runSteps(
  mode: 'lenient' | 'strict',
  request: StepRequest,
  deps: StepDeps,
): Promise<Result> {
  const strict = mode === 'strict';
  const steps = new Steps();
  const wanted = await steps.take(1, (note) => first(request, strict, deps, note));
  const ids = await steps.take(2, (note) => others(wanted.ids, strict, note));
  const plan = await steps.take(3, () => planOperators(ids, request.excludeKo42, deps.resolve));
  const degraded = await steps.take(4, (note) => tuned(request.precision ?? MAX_PRECISION, strict, note));
  const operators = plan.operators.filter(({ id }) => id !== KO42);
  await steps.take(5, () => requireComputable(plan));
  const computed = await steps.take(6, (note) => execute(plan, wanted.params, strict, deps.nowMs, note));
  const computation = await steps.take(7, (note) => {
    verify(plan, computed, note);
    return deps.prover.prove(stamp(plan, computed, deps.nowMs));
  });
  return {
    domain: operators.at(-1)?.record.category ?? null,
    steps: steps.records,
    precision: Math.abs(computation.ko42),
    degraded,
    computation,
  };
}

type Note = (text: string) => void;

/** Inputs are read while computing, because outputs feed them; a failure belongs to the step whose rule it breaks. */
const STEP_OF: Partial<Record<ProblemCode, number>> = { invalid_parameter: 3, dimension_mismatch: 5 };

/** Keeps the record of each step, and names the step in a failure. */
class Steps {
  readonly records: StepRecord[] = [];

  async take<T>(step: number, work: (note: Note) => T | Promise<T>): Promise<T> {
    const notes: string[] = [];
    try {
      const result = await work((text) => notes.push(text));
      this.records.push({ step, name: STEP_NAMES[step - 1]!, ok: true, notes });
      return result;
    } catch (err) {
      throw err instanceof ProblemError ? failureOf(STEP_OF[err.code] ?? step, err) : err;
    }
  }
}

const failureOf = (step: number, err: ProblemError): ProblemError =>
  new ProblemError(err.code, `Step ${step} (${STEP_NAMES[step - 1]}): ${err.message}`, {
    cause: err,
    members: { step },
    ...(err.retryAfter !== undefined && { retryAfter: err.retryAfter }),
  });

interface Wanted {
  ids: readonly string[];
  params: StepRequest['params'];
}

async function first(request: StepRequest, strict: boolean, deps: StepDeps, note: Note): Promise<Wanted> {
  if (request.excludeKo42)
    throw new ProblemError('ko42_excluded', 'KO42 is part of every computation and cannot be left out.');
  const { ids, params } =
    strict || request.query === undefined ? given(request) : await asked(request, deps, note);
  if (ids[0] === KO42) return { ids, params };
  if (strict) throw new ProblemError('step_failed', 'Name KO42 as the first operator.');
  note('KO42 was put first');
  return { ids: [KO42, ...ids.filter((id) => id !== KO42)], params };
}

const given = ({ operators = [], params }: StepRequest): Wanted => ({ ids: operators, params });

/** Operators that are named outright, and inputs that are given outright, count before those of the text. */
async function asked(request: StepRequest, deps: StepDeps, note: Note): Promise<Wanted> {
  const named = request.operators?.join(' ') ?? '';
  const intent = await parseIntent(`${request.query} ${named}`.trim(), deps.index, deps.resolve);
  const ids = request.operators ?? intent.operators;
  if (request.operators === undefined) note(`operators taken from the text, confidence ${intent.confidence}`);
  const taken = intent.inputs.filter(
    ({ operator, name }) => !(name in request.params) && !(`${operator}.${name}` in request.params),
  );
  if (taken.length > 0)
    note(
      `inputs taken from the text: ${taken.map(({ operator, name }) => `${operator}.${name}`).join(', ')}`,
    );
  const fromText = taken.map(({ operator, name, value }) => [`${operator}.${name}`, value]);
  return { ids, params: { ...Object.fromEntries(fromText), ...request.params } };
}

function others(ids: readonly string[], strict: boolean, note: Note): readonly string[] {
  if (ids.length < 2)
    throw new ProblemError(
      'step_failed',
      strict ? 'Name one to three operators besides KO42.' : 'No operator was named, and none fits the text.',
    );
  if (ids.length <= MAX_OPERATORS) return ids;
  if (strict)
    throw new ProblemError('too_many_operators', `A computation has at most ${MAX_OPERATORS} operators.`);
  note(`${ids.length - MAX_OPERATORS} operators were left out: a computation has at most ${MAX_OPERATORS}`);
  return ids.slice(0, MAX_OPERATORS);
}

/** @returns Whether the bound asked for is wider than the clock's, which makes the result a degraded one. */
function tuned(precision: number, strict: boolean, note: Note): boolean {
  if (precision <= MAX_PRECISION) return false;
  if (strict) throw new ProblemError('step_failed', `The precision may be at most ${MAX_PRECISION}.`);
  note(`a precision above ${MAX_PRECISION} was asked for: the result counts as degraded`);
  return true;
}

function requireComputable({ operators }: Plan): void {
  const symbolic = operators.find(({ computable }) => computable === undefined);
  if (symbolic !== undefined)
    throw new ProblemError('not_computable', `${symbolic.id} is symbolic: it is stated, and not computed.`);
}

function execute(
  plan: Plan,
  params: StepRequest['params'],
  strict: boolean,
  nowMs: number,
  note: Note,
): Computed {
  const computed = compute(plan, params, { nowMs, strict });
  for (const [id, inputs] of Object.entries(computed.inputs)) {
    if (id === KO42) continue; // the pulse has no inputs of its own
    const filled = Object.entries(inputs).filter(([, { source }]) => source === 'default');
    if (filled.length > 0) note(`${id}: ${filled.map(([name]) => name).join(', ')} taken from the defaults`);
    for (const [name, { from }] of Object.entries(inputs))
      if (from !== undefined) note(`${id}.${name} is the result of ${from}`);
  }
  return computed;
}

function verify({ operators }: Plan, computed: Computed, note: Note): void {
  const differing = differingOperator(operators, computed);
  if (differing !== undefined)
    throw new ProblemError('step_failed', `A second evaluation of ${differing} gives another value.`);
  note('a second evaluator gives the same values');
}
