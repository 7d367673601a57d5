import { OperatorQuery } from '@zeq/contracts';
import { ProblemError, parseInput } from '@zeq/service-kit';
import { Router } from 'express';
import { addRoute, isAuthenticated, machineOf } from '../auth/door.ts';
import { CachedBodies } from '../cached-bodies.ts';
import { browse } from '../catalogue/browse.ts';
import type { Deps } from '../deps.ts';
import type { OwnOperators } from '../own-operators.ts';
import { viewOf } from '../views.ts';

/** Looking at the catalogue: what is shown depends on who looks. */
export function catalogueRouter({ catalogue, authenticate }: Deps, own: OwnOperators): Router {
  const router = Router();
  const bodies = new CachedBodies();
  const { operators, byCategory } = catalogue;

  addRoute(router, authenticate, 'GET', '/api/zeq/operators', (req, res, caller) => {
    const query = parseInput(OperatorQuery, req.query, 'invalid_query');
    const audience = isAuthenticated(caller) ? 'authenticated' : 'public';
    bodies.send(req, res, audience, `page ${JSON.stringify(query)}`, () => {
      const { total, pages, operators: found } = browse(operators, query);
      const { page, limit } = query;
      return { total, page, pages, limit, operators: found.map(viewOf(audience)) };
    });
  });

  addRoute(router, authenticate, 'GET', '/api/zeq/operators/:id', async (req, res, caller) => {
    const audience = isAuthenticated(caller) ? 'authenticated' : 'public';
    const operator = await own.resolve(machineOf(caller), String(req.params.id));
    if (operator === undefined)
      throw new ProblemError('operator_not_found', 'The catalogue has no such operator.');
    const isOwn = operator.record.provenance === 'custom';
    if (isOwn) res.set('Cache-Control', 'no-store').json(viewOf(audience)(operator));
    else bodies.send(req, res, audience, `operator ${operator.id}`, () => viewOf(audience)(operator));
  });

  addRoute(router, authenticate, 'GET', '/api/v1/operators/all', (req, res) => {
    bodies.send(req, res, 'authenticated', 'all', () => ({
      total: operators.length,
      operators: operators.map(viewOf('authenticated')),
    }));
  });

  addRoute(router, authenticate, 'GET', '/api/v1/operators/category/:category', (req, res) => {
    const category = String(req.params.category);
    const found = byCategory.get(category);
    if (found === undefined) throw new ProblemError('not_found', 'There is no such category.');
    bodies.send(req, res, 'authenticated', `category ${category}`, () => ({
      category,
      count: found.length,
      operators: found.map(viewOf('authenticated')),
    }));
  });
  return router;
}
