import { ParseBody, type ParsedIntent, RunBody, StrictBody } from '@zeq/contracts';
import { ProblemError, parseInput, safeError, strictJson } from '@zeq/service-kit';
import { Router } from 'express';
import { addRoute, machineOf, ownerOf } from '../auth/door.ts';
import type { Deps } from '../deps.ts';
import type { OwnOperators } from '../own-operators.ts';
import { OperatorIndex } from '../seven-step/operator-index.ts';
import { parseIntent } from '../seven-step/parse-intent.ts';
import { promptFor, readProposal } from '../seven-step/proposal.ts';
import { runSteps, type StepRequest } from '../seven-step/run-steps.ts';

const MAX_PARTS = 500;
/** Operators among which a model may choose. */
const SHOWN_TO_MODEL = 20;
const small = strictJson({ maxBytes: 65_536, maxParts: MAX_PARTS });
const large = strictJson({ maxBytes: 1_048_576, maxParts: MAX_PARTS });

/** From words to a proved result, in seven steps. */
export function sevenStepRouter(deps: Deps, own: OwnOperators): Router {
  const { catalogue, authenticate, prover, recorder, askModel, log, now } = deps;
  const router = Router();
  const index = new OperatorIndex(catalogue.operators);

  /** The model's reading where it gives one that holds, the rules' otherwise, with the reason. */
  const preferModel = async (byRules: ParsedIntent, query: string): Promise<ParsedIntent> => {
    const otherwise = (why: string) => ({ ...byRules, warnings: [...byRules.warnings, why] });
    if (askModel === undefined) return otherwise('no model is registered');
    const candidates = index.find(query, SHOWN_TO_MODEL).map(({ operator }) => operator);
    if (candidates.length === 0) return byRules;
    try {
      const answer = await askModel(promptFor(query, candidates));
      return readProposal(answer, candidates) ?? otherwise('the model gave no reading that holds');
    } catch (err) {
      if (!(err instanceof ProblemError)) throw err;
      log.warn({ err: safeError(err) }, 'the model could not be asked');
      return otherwise('the model could not be asked');
    }
  };

  addRoute(router, authenticate, 'POST', '/api/7step/parse', small, async (req, res, caller) => {
    const { query, model } = parseInput(ParseBody, req.body);
    const byRules = await parseIntent(query, index, (id) => own.resolve(machineOf(caller), id));
    const intent = model ? await preferModel(byRules, query) : byRules;
    res.set('Cache-Control', 'no-store').json(intent);
  });

  for (const mode of ['lenient', 'strict'] as const) {
    const path = mode === 'strict' ? '/api/7step/strict' : '/api/7step/run';
    addRoute(router, authenticate, 'POST', path, large, async (req, res, caller) => {
      const resolve = (id: string) => own.resolve(machineOf(caller), id);
      const request = mode === 'strict' ? strictRequest(req.body) : runRequest(req.body);
      const result = await runSteps(mode, request, { index, resolve, prover, nowMs: now() });
      recorder.add(ownerOf(caller).machine_id, result.computation);
      res.set('Cache-Control', 'no-store').json(result);
    });
  }
  return router;
}

function runRequest(body: unknown): StepRequest {
  const { query, operators, params, exclude_ko42: excludeKo42, precision } = parseInput(RunBody, body);
  return { query, operators, params, excludeKo42, precision };
}

function strictRequest(body: unknown): StepRequest {
  const { operators, params, exclude_ko42: excludeKo42, precision } = parseInput(StrictBody, body);
  return { operators, params, excludeKo42, precision };
}
