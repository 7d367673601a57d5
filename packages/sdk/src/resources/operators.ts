import type { Computation, ParsedIntent, VerifyAnswer } from '@zeq/contracts';
import type { CallOptions, Core, Identity } from '../client/core.ts';
import { path, type Query } from '../client/paths.ts';
import type {
  AllOperators,
  CategoryOperators,
  ComputationList,
  CustomOperatorInput,
  ExecuteInput,
  LiveOperator,
  LiveState,
  OperatorPage,
  OperatorQueryInput,
  OperatorView,
  OwnOperator,
  ParseInput,
  RunInput,
  SevenStepResult,
  StrictInput,
} from '../wire.ts';

/**
 * The operator catalogue.
 *
 * @param hasKey Without a key the catalogue can be read all the same; it then shows less.
 */
export const operatorsOf = (core: Core, hasKey: boolean) => {
  const as: Identity = hasKey ? 'key' : 'nobody';
  return {
    list: (query: OperatorQueryInput = {}, options?: CallOptions) =>
      core.json<OperatorPage>('GET', '/api/zeq/operators', { ...options, as, query: query as Query }),
    get: (id: string, options?: CallOptions) =>
      core.json<OperatorView>('GET', path`/api/zeq/operators/${id}`, { ...options, as }),
    /** Computes one operator, or those that `body.operators` names. */
    execute: (operator: string | undefined, body: ExecuteInput = {}, options?: CallOptions) =>
      core.json<Computation>('POST', '/api/zeq/operators/execute', {
        ...options,
        query: { operator },
        json: body,
      }),
    live: (id: string, options?: CallOptions) =>
      core.json<LiveOperator>('GET', path`/api/zeq/operators/${id}/live`, options),
    liveState: (options?: CallOptions) => core.json<LiveState>('GET', '/api/zeq/state/live', options),
    /** Checks the proof of a computation, however old. */
    verify: (computation: Computation, options?: CallOptions) =>
      core.json<VerifyAnswer>('POST', '/api/zeq/verify', { ...options, as: 'nobody', json: computation }),
    computations: (query: { limit?: number; before?: string } = {}, options?: CallOptions) =>
      core.json<ComputationList>('GET', '/api/zeq/computations', { ...options, query }),
    own: ownOperatorsOf(core),
    platform: platformOperatorsOf(core),
  };
};

/** The catalogue for a client with `platformKey`. */
const platformOperatorsOf = (core: Core) => ({
  all: (options?: CallOptions) =>
    core.json<AllOperators>('GET', '/api/v1/operators/all', { ...options, as: 'platform' }),
  category: (category: string, options?: CallOptions) =>
    core.json<CategoryOperators>('GET', path`/api/v1/operators/category/${category}`, {
      ...options,
      as: 'platform',
    }),
});

/** Operators that the machine wrote itself. */
const ownOperatorsOf = (core: Core) => ({
  list: async (options?: CallOptions): Promise<OwnOperator[]> =>
    (await core.json<{ operators: OwnOperator[] }>('GET', await ownPath(core), options)).operators,
  get: async (id: string, options?: CallOptions): Promise<OwnOperator> =>
    core.json('GET', (await ownPath(core)) + path`/${id}`, options),
  add: async (operator: CustomOperatorInput, options?: CallOptions): Promise<OwnOperator> =>
    core.json('POST', await ownPath(core), { ...options, json: operator }),
  replace: async (
    id: string,
    operator: Omit<CustomOperatorInput, 'id'>,
    options?: CallOptions,
  ): Promise<OwnOperator> =>
    core.json('PUT', (await ownPath(core)) + path`/${id}`, { ...options, json: operator }),
  async remove(id: string, options?: CallOptions): Promise<void> {
    await core.json('DELETE', (await ownPath(core)) + path`/${id}`, options);
  },
});

/** From a question to a computation, step by step. */
export const sevenStepOf = (core: Core) => ({
  parse: (body: ParseInput, options?: CallOptions) =>
    core.json<ParsedIntent>('POST', '/api/7step/parse', { ...options, json: body }),
  run: (body: RunInput, options?: CallOptions) =>
    core.json<SevenStepResult>('POST', '/api/7step/run', { ...options, json: body }),
  strict: (body: StrictInput, options?: CallOptions) =>
    core.json<SevenStepResult>('POST', '/api/7step/strict', { ...options, json: body }),
});

const ownPath = async (core: Core) => path`/api/zeq/machines/${await core.slug()}/operators`;
