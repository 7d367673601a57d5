import { ProblemError, systemTime } from '@zeq/service-kit';
import { type Request, type Response, Router } from 'express';
import { addRoute, machineOf } from '../auth/door.ts';
import type { Operator } from '../catalogue/operator.ts';
import type { Deps } from '../deps.ts';
import { eventFrame, streamEvents, wantsEvents } from '../live/event-stream.ts';
import { LiveState, momentOf } from '../live/live-state.ts';
import { liveInputs, liveValue } from '../live/live-values.ts';
import { Ticker } from '../live/ticker.ts';
import type { OwnOperators } from '../own-operators.ts';

/** Values of this Zeqond, once or as a stream. */
export function liveRouter({ catalogue, authenticate, now }: Deps, own: OwnOperators): Router {
  const router = Router();
  const state = new LiveState(catalogue.operators);
  const ticker = new Ticker({ ...systemTime, wallMs: now });

  const answer = (
    req: Request,
    res: Response,
    json: (nowMs: number) => string | Buffer,
    frame = framed(json),
  ) => {
    const mayStay = async () => (await authenticate(req)).kind === 'owner';
    if (wantsEvents(req)) streamEvents(res, { ticker, now, frame, mayStay });
    else res.set('Cache-Control', 'no-store').type('application/json').send(json(now()));
  };

  const stateJson = (nowMs: number) => state.at(nowMs);
  const stateFrame = lastKept(framed(stateJson));
  addRoute(router, authenticate, 'GET', '/api/zeq/state/live', (req, res) =>
    answer(req, res, stateJson, stateFrame),
  );

  addRoute(router, authenticate, 'GET', '/api/zeq/operators/:id/live', async (req, res, caller) => {
    const operator = await own.resolve(machineOf(caller), String(req.params.id));
    if (operator === undefined)
      throw new ProblemError('operator_not_found', 'The catalogue has no such operator.');
    const json = (nowMs: number) => JSON.stringify(liveOperator(operator, nowMs));
    json(now()); // an operator without a live value is refused before a stream begins
    answer(req, res, json);
  });
  return router;
}

const framed = (json: (nowMs: number) => string | Buffer) => (nowMs: number) =>
  eventFrame(nowMs, json(nowMs));

/** All readers of one tick ask for the same moment: its frame is made once. */
function lastKept(make: (nowMs: number) => Buffer): (nowMs: number) => Buffer {
  let kept: { nowMs: number; frame: Buffer } | undefined;
  return (nowMs) => {
    if (kept?.nowMs !== nowMs) kept = { nowMs, frame: make(nowMs) };
    return kept.frame;
  };
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
