import { CustomOperator, ReplaceOperator } from '@zeq/contracts';
import { parseInput, strictJson } from '@zeq/service-kit';
import { Router } from 'express';
import { addRoute, ownerOf } from '../auth/door.ts';
import type { Deps } from '../deps.ts';
import type { OwnOperators } from '../own-operators.ts';
import { ownView } from '../views.ts';

const LIST = '/api/zeq/machines/:slug/operators';
const ONE = `${LIST}/:id`;
const body = strictJson({ maxBytes: 65_536, maxParts: 1_000 });

/** A machine's own operators, under its slug. */
export function ownOperatorsRouter({ authenticate }: Deps, own: OwnOperators): Router {
  const router = Router();
  router.use('/api/zeq/machines', (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });

  addRoute(router, authenticate, 'GET', LIST, async (_req, res, caller) => {
    const operators = await own.list(ownerOf(caller).machine_id);
    res.json({ operators: operators.map(ownView) });
  });

  addRoute(router, authenticate, 'POST', LIST, body, async (req, res, caller) => {
    const custom = parseInput(CustomOperator, req.body, 'invalid_operator');
    const added = await own.add(ownerOf(caller).machine_id, custom);
    res.status(201).json(ownView(added));
  });

  addRoute(router, authenticate, 'GET', ONE, async (req, res, caller) => {
    res.json(ownView(await own.find(ownerOf(caller).machine_id, String(req.params.id))));
  });

  addRoute(router, authenticate, 'PUT', ONE, body, async (req, res, caller) => {
    const custom = parseInput(ReplaceOperator, req.body, 'invalid_operator');
    const id = String(req.params.id);
    res.json(ownView(await own.replace(ownerOf(caller).machine_id, { ...custom, id })));
  });

  addRoute(router, authenticate, 'DELETE', ONE, async (req, res, caller) => {
    await own.remove(ownerOf(caller).machine_id, String(req.params.id));
    res.status(204).end();
  });
  return router;
}
