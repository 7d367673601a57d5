import { ParseBody, RunBody, StrictBody } from '@zeq/contracts';
import { parseInput, strictJson } from '@zeq/service-kit';
import { Router } from 'express';
import { addRoute, machineOf, ownerOf } from '../auth/door.ts';
import type { Deps } from '../deps.ts';
import type { OwnOperators } from '../own-operators.ts';
import { OperatorIndex } from '../seven-step/operator-index.ts';
import { parseIntent } from '../seven-step/parse-intent.ts';
import { runSteps, type StepRequest } from '../seven-step/run-steps.ts';

const MAX_PARTS = 500;
const small = strictJson({ maxBytes: 65_536, maxParts: MAX_PARTS });
const large = strictJson({ maxBytes: 1_048_576, maxParts: MAX_PARTS });

/** From words to a proved result, in seven steps. */
export function sevenStepRouter(deps: Deps, own: OwnOperators): Router {
  const { catalogue, authenticate, prover, recorder, propose, now } = deps;
  const router = Router();
  const index = new OperatorIndex(catalogue.operators);

  addRoute(router, authenticate, 'POST', '/api/7step/parse', small, async (req, res, caller) => {
    const { query, model } = parseInput(ParseBody, req.body);
    const byRules = await parseIntent(query, index, (id) => own.resolve(machineOf(caller), id));
    const proposed = model ? await propose?.(query) : undefined;
    res.set('Cache-Control', 'no-store').json(proposed ?? byRules);
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
