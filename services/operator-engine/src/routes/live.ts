import { ProblemError } from '@zeq/service-kit';
import { type Request, type Response, Router } from 'express';
import { addRoute, machineOf } from '../auth/door.ts';
import type { Operator } from '../catalogue/operator.ts';
import type { Deps } from '../deps.ts';
import { streamEvents, wantsEvents } from '../live/event-stream.ts';
import { LiveState, momentOf } from '../live/live-state.ts';
import { liveInputs, liveValue } from '../live/live-values.ts';
import { Ticker } from '../live/ticker.ts';
import type { OwnOperators } from '../own-operators.ts';

/** Values of this Zeqond, once or as a stream. */
export function liveRouter({ catalogue, authenticate, now }: Deps, own: OwnOperators): Router {
  const router = Router();
  const state = new LiveState(catalogue.operators);
  const ticker = new Ticker(now);

  const answer = (req: Request, res: Response, event: (nowMs: number) => string | Buffer) => {
    if (!wantsEvents(req)) {
      res.set('Cache-Control', 'no-store').type('application/json').send(event(now()));
      return;
    }
    const mayStay = async () => (await authenticate(req)).kind === 'owner';
    streamEvents(req, res, { ticker, now, event, mayStay });
  };

  addRoute(router, authenticate, 'GET', '/api/zeq/state/live', (req, res) =>
    answer(req, res, (nowMs) => state.at(nowMs)),
  );

  addRoute(router, authenticate, 'GET', '/api/zeq/operators/:id/live', async (req, res, caller) => {
    const operator = await own.resolve(machineOf(caller), String(req.params.id));
    if (operator === undefined)
      throw new ProblemError('operator_not_found', 'The catalogue has no such operator.');
    liveOperator(operator, now());
    answer(req, res, (nowMs) => JSON.stringify(liveOperator(operator, nowMs)));
  });
  return router;
}

/** @throws ProblemError `not_computable` for an operator that has no live value. */
function liveOperator(operator: Operator, nowMs: number) {
  const moment = momentOf(nowMs);
  const inputs = liveInputs(operator, moment.zeqond);
  const live = liveValue(operator, inputs);
  if (live === undefined || inputs === undefined)
    throw new ProblemError(
      'not_computable',
      operator.computable === undefined
        ? `${operator.id} is symbolic: it is stated, and not computed.`
        : `${operator.id} has no reference inputs; give it a test vector.`,
    );
  return { ...moment, ...live, modulated: live.value * moment.r, inputs };
}
