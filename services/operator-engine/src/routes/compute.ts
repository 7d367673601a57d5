import { ComputationQuery, ExecuteBody } from '@zeq/contracts';
import { ProblemError, parseInput, strictJson } from '@zeq/service-kit';
import { Router } from 'express';
import { z } from 'zod';
import { addRoute, machineOf, ownerOf } from '../auth/door.ts';
import { compute } from '../compute/compute.ts';
import { planOperators } from '../compute/plan.ts';
import { stamp } from '../compute/stamp.ts';
import type { Deps } from '../deps.ts';
import type { OwnOperators } from '../own-operators.ts';
import { computationView } from '../views.ts';

/** Names and brackets: four operators of 24 parameters with four fields each, and what is around them. */
const MAX_PARTS = 700;
const executeBody = strictJson({ maxBytes: 1_048_576, maxParts: MAX_PARTS });
/** A computation comes back with more around it than it was asked with. */
const verifyBody = strictJson({ maxBytes: 1_572_864, maxParts: MAX_PARTS });

const idList = z.string().max(4096);
const ExecuteQuery = z.strictObject({ operator: z.union([idList, z.array(idList).max(64)]).optional() });

/** Computing, and what remains of it: proofs and records. */
export function computeRouter(deps: Deps, own: OwnOperators): Router {
  const { authenticate, stores, recorder, prover, now } = deps;
  const router = Router();

  addRoute(
    router,
    authenticate,
    'POST',
    '/api/zeq/operators/execute',
    executeBody,
    async (req, res, caller) => {
      const { operator } = parseInput(ExecuteQuery, req.query, 'invalid_query');
      const body = parseInput(ExecuteBody, req.body ?? {});
      const ids = idsOf(operator, body.operators);
      const plan = await planOperators(ids, body.exclude_ko42, (id) => own.resolve(machineOf(caller), id));
      const nowMs = now();
      const computation = prover.prove(stamp(plan, compute(plan, body.params, { nowMs }), nowMs));
      recorder.add(ownerOf(caller).machine_id, computation);
      res.set('Cache-Control', 'no-store').json(computation);
    },
  );

  addRoute(router, authenticate, 'POST', '/api/zeq/verify', verifyBody, (req, res) => {
    if (typeof req.body !== 'object' || req.body === null || Array.isArray(req.body))
      throw new ProblemError('invalid_body', 'Send a computation as it was answered, with its proof.');
    res.set('Cache-Control', 'no-store').json(prover.verify(req.body, now()));
  });

  addRoute(router, authenticate, 'GET', '/api/zeq/computations', async (req, res, caller) => {
    const page = parseInput(ComputationQuery, req.query, 'invalid_query');
    await recorder.flush();
    const found = await stores.computations.list(ownerOf(caller).machine_id, page);
    const next = found.length === page.limit ? (found.at(-1)?.id ?? null) : null;
    res.set('Cache-Control', 'no-store').json({ computations: found.map(computationView), next });
  });
  return router;
}

/** `?operator=A&operator=B`, `?operator=A,B`, or the body's list; one of them. */
function idsOf(query: string | string[] | undefined, body: readonly string[] | undefined): readonly string[] {
  if (query === undefined) return body ?? [];
  if (body !== undefined)
    throw new ProblemError('invalid_query', 'Name the operators in the query or in the body, not in both.');
  return [query].flat().flatMap((list) => list.split(','));
}
