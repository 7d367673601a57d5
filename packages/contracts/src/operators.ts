import { z } from 'zod';
import { Moment } from './ids.ts';

/** KO42 and up to three more in one computation. */
export const MAX_OPERATORS = 4;
/** The longest sweep: values in one array of a parameter. */
export const MAX_SWEEP_POINTS = 10_000;
/** The clock's bound: |R(t) − 1| never exceeds it. */
export const MAX_PRECISION = 0.001;

export const OPERATOR_ID = /^[A-Z][A-Z0-9_-]{0,63}$/;
export const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;

export const OperatorId = z
  .string()
  .regex(OPERATOR_ID, 'must be 1 to 64 of A-Z, 0-9, "_" and "-", and begin with a letter');
export const CategorySlug = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be 1 to 64 of a-z, 0-9 and "_", and begin with a letter');
export const Tier = z.int().min(1).max(4);
export const TIER_LABELS = ['Core Physics', 'Applied Science', 'Computational', 'Experimental'] as const;
export const TierLabel = z.enum(TIER_LABELS);

const finite = z.number('must be a finite number');
const unit = z.string().min(1).max(64).describe('a coherent SI unit, "1" for a pure number');
const symbol = z.string().min(1).max(128).describe('LaTeX');

export const OperatorParameter = z.strictObject({
  name: z.string().regex(PARAMETER_NAME, 'must be 1 to 32 letters, digits and "_", and begin with a letter'),
  symbol,
  unit,
  description: z.string().max(1000),
  default: finite.nullable().describe('null: required'),
  min: finite.nullable().describe('inclusive; null: unbounded'),
  max: finite.nullable().describe('inclusive; null: unbounded'),
});
export type OperatorParameter = z.infer<typeof OperatorParameter>;

export const OperatorResult = z.strictObject({ symbol, unit });

export const TestVector = z.strictObject({
  params: z.record(z.string(), finite),
  value: finite,
  relTol: z.number().positive().max(0.5),
  source: z.string().max(1000),
});
export type TestVector = z.infer<typeof TestVector>;

/** What anybody may know of an operator. */
export const OperatorSummary = z.strictObject({
  id: OperatorId,
  name: z.string(),
  description: z.string(),
  category: CategorySlug,
  tier: Tier,
  tierLabel: TierLabel,
});
export type OperatorSummary = z.infer<typeof OperatorSummary>;

/** What an authenticated caller sees. Names and units of parameters give part of a formula away, so they are here too. */
export const OperatorDetails = OperatorSummary.extend({
  equation: z.string(),
  equationLaTeX: z.string(),
  founder: z.string(),
  computable: z.boolean(),
  parameters: z.array(OperatorParameter),
  result: OperatorResult.nullable(),
  provenance: z.enum(['zeq-docs', 'standard-physics', 'custom']),
});
export type OperatorDetails = z.infer<typeof OperatorDetails>;

export const OperatorView = z.union([OperatorDetails, OperatorSummary]);

/** A page of the catalogue, in the catalogue's order, or by relevance when `q` is given. */
export const OperatorPage = z.strictObject({
  total: z.int(),
  page: z.int(),
  pages: z.int(),
  limit: z.int(),
  operators: z.array(OperatorView),
});

export const OperatorQuery = z.strictObject({
  q: z.string().min(1).max(200).optional().describe('words of id, name or description'),
  category: CategorySlug.optional(),
  tier: z.coerce.number().int().min(1).max(4).optional(),
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type OperatorQuery = z.infer<typeof OperatorQuery>;

export const AllOperators = z.strictObject({ total: z.int(), operators: z.array(OperatorView) });
export const CategoryOperators = z.strictObject({
  category: CategorySlug,
  count: z.int(),
  operators: z.array(OperatorView),
});

const quantity = z.union([z.number(), z.string().max(100)]);

/** A number in the parameter's unit, a quantity such as "5 kg", `{value, unit}`, a sweep of either, or an earlier operator's output. */
export const ParameterValue = z.union(
  [
    quantity,
    z.array(quantity).min(1).max(MAX_SWEEP_POINTS),
    z.strictObject({ value: z.number(), unit: z.string().max(64) }),
    z.strictObject({ from: OperatorId }),
  ],
  'must be a number, a quantity such as "5 kg", a list of up to 10000 of them, {value, unit}, or {from: an earlier operator}',
);
export type ParameterValue = z.infer<typeof ParameterValue>;

/** Keys are a parameter's name, or `ID.name` for that operator alone. */
export const Params = z
  .record(z.string().max(97), ParameterValue)
  .refine((params) => Object.keys(params).length <= 64, 'must not have more than 64 entries');

export const ExecuteBody = z.strictObject({
  params: Params.default({}),
  operators: z.array(z.string().max(64)).max(64).optional().describe('instead of ?operator='),
  exclude_ko42: z.boolean().default(false),
});
export type ExecuteBody = z.infer<typeof ExecuteBody>;

const value = z.union([z.number(), z.array(z.number())]).describe('an array where a parameter was swept');

export const InputUsed = z.strictObject({
  value: value.optional().describe('left out for an output, which stands in `results`'),
  unit: z.string(),
  source: z.enum(['given', 'default', 'fixed', 'output', 'clock']),
  from: OperatorId.optional().describe('the operator whose output this is'),
});
export type InputUsed = z.infer<typeof InputUsed>;

export const OperatorOutput = z.strictObject({ operator: OperatorId, value, unit: z.string() });
export type OperatorOutput = z.infer<typeof OperatorOutput>;

/** Everything that a computation says of itself. `proof` is an HMAC-SHA256 (hex) over the canonical JSON of the rest. */
export const Computation = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^cmp_[0-9a-f]{32}$/),
  operators: z.array(OperatorId).describe('KO42 first'),
  value: value.describe('of the last operator'),
  unit: z.string(),
  results: z.array(OperatorOutput).describe('of each operator that was asked for, in order'),
  inputs: z.record(OperatorId, z.record(z.string(), InputUsed)),
  zeqond: z.int(),
  phase: z.number(),
  ko42: z.number(),
  r: z.number().describe('R(t) = 1 + KO42; it stamps the value and does not change it'),
  computed_at: Moment,
  proof: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Computation = z.infer<typeof Computation>;
export type Claim = Omit<Computation, 'proof'>;

export const VerifyAnswer = z.strictObject({
  valid: z.boolean(),
  zeqond: z.int().nullable().describe('of the result, where its proof holds'),
  age_zeqonds: z.int().nullable(),
});

export type VerifyAnswer = z.infer<typeof VerifyAnswer>;

export const LiveValue = z.strictObject({
  id: OperatorId,
  value: z.number(),
  unit: z.string(),
});
export type LiveValue = z.infer<typeof LiveValue>;

const moment = {
  zeqond: z.int(),
  timestamp: Moment.describe('when this Zeqond began'),
  phase: z.number().describe('of the moment of the answer'),
  ko42: z.number(),
  r: z.number(),
};
export const LiveOperator = z.strictObject({
  ...moment,
  ...LiveValue.shape,
  modulated: z.number().describe('value · R(t)'),
  inputs: z.record(z.string(), z.number()).describe('the reference inputs it is computed at, in SI units'),
});
export const LiveState = z.strictObject({ ...moment, count: z.int(), operators: z.array(LiveValue) });

/** A computation as it is kept: its proof and its summary, not its sweeps. */
export const ComputationRecord = z.strictObject({
  id: z.string(),
  operators: z.array(OperatorId),
  value: z.number().nullable().describe('null for a sweep'),
  unit: z.string(),
  points: z.int(),
  zeqond: z.int(),
  computed_at: Moment,
  proof: z.string(),
});
export type ComputationRecord = z.infer<typeof ComputationRecord>;
export const ComputationQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  before: z.string().max(64).optional().describe('the id of the last computation already seen'),
});
export const ComputationList = z.strictObject({
  computations: z.array(ComputationRecord),
  next: z.string().nullable(),
});

/** A machine's own operator, as its owner sends it. */
export const CustomOperator = z.strictObject({
  id: OperatorId,
  name: z.string().min(1).max(200),
  description: z.string().min(1).max(2000),
  category: CategorySlug,
  tier: Tier.default(4),
  founder: z.string().max(200).default(''),
  equation: z.string().min(1).max(2000),
  equationLaTeX: z.string().max(4000).default(''),
  expression: z.string().min(1).max(512).nullable(),
  parameters: z.array(OperatorParameter).max(24).default([]),
  result: OperatorResult.nullable().default(null),
  testVectors: z.array(TestVector).max(20).default([]),
});
export type CustomOperator = z.infer<typeof CustomOperator>;
export const ReplaceOperator = CustomOperator.omit({ id: true });

export const OwnOperator = OperatorDetails.extend({
  expression: z.string().nullable(),
  testVectors: z.array(TestVector),
  created_at: Moment,
  updated_at: Moment,
});
export const OwnOperatorList = z.strictObject({ operators: z.array(OwnOperator) });

// the seven steps
const precision = z
  .number()
  .min(1e-9)
  .max(0.1)
  .optional()
  .describe('the bound asked for; above 0.001 is degraded');
const sevenStep = {
  params: Params.default({}),
  exclude_ko42: z.boolean().default(false),
  precision,
};
export const ParseBody = z.strictObject({
  query: z.string().min(1).max(2000),
  model: z
    .boolean()
    .default(false)
    .describe('let the registered model propose; its proposal is checked the same way'),
});
export const RunBody = z.strictObject({
  query: z.string().min(1).max(2000).optional(),
  operators: z.array(z.string().max(64)).max(64).optional(),
  ...sevenStep,
});
export const StrictBody = z.strictObject({
  operators: z.array(z.string().max(64)).max(64).default([]),
  ...sevenStep,
});

export const ParsedInput = z.strictObject({
  operator: OperatorId,
  name: z.string(),
  value: z.number(),
  unit: z.string(),
  how: z.enum(['name', 'words', 'dimension', 'model']).describe('what linked the quantity to the parameter'),
});
export type ParsedInput = z.infer<typeof ParsedInput>;

export const MissingInput = z.strictObject({
  operator: OperatorId,
  name: z.string(),
  unit: z.string(),
  description: z.string(),
});
export type MissingInput = z.infer<typeof MissingInput>;

export const ParsedIntent = z.strictObject({
  domain: CategorySlug.nullable(),
  confidence: z.number().min(0).max(1),
  operators: z.array(OperatorId).describe('KO42 first'),
  candidates: z
    .array(z.strictObject({ id: OperatorId, name: z.string(), score: z.number() }))
    .describe('the best fits, best first'),
  inputs: z.array(ParsedInput),
  missing: z.array(MissingInput),
  warnings: z.array(z.string()),
  source: z.enum(['rules', 'model']),
});
export type ParsedIntent = z.infer<typeof ParsedIntent>;

export const StepRecord = z.strictObject({
  step: z.int().min(1).max(7),
  name: z.string(),
  ok: z.boolean(),
  notes: z.array(z.string()),
});
export type StepRecord = z.infer<typeof StepRecord>;

export const SevenStepResult = z.strictObject({
  domain: CategorySlug.nullable(),
  steps: z.array(StepRecord).length(7),
  precision: z.number().describe('|R(t) − 1| of this result'),
  degraded: z.boolean(),
  computation: Computation,
});
