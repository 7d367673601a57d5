import {
  ChannelId,
  ClockQuery,
  CreateChannel,
  JoinChannel,
  MessagesQuery,
  ROUTES,
  RotateChannel,
  type RouteSpec,
  SERVICE_TOKEN_HEADER,
  SendMessage,
} from '@zeq/contracts';
import { zeqondOf } from '@zeq/crypto';
import { parseInput, type ServiceTokenVerifier, strictJson } from '@zeq/service-kit';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { callerOf, requireTesc } from '../tesc/access.ts';
import { createChannel, listChannels, removeChannel, rotateChannel, showChannel } from '../tesc/channels.ts';
import { clockOffset } from '../tesc/clock-offset.ts';
import { joinChannel } from '../tesc/join.ts';
import { readMessages, sendMessage } from '../tesc/messages.ts';
import { streamMessages } from '../tesc/stream.ts';
import type { Tesc } from '../tesc/tesc.ts';
import { readOrWait } from '../tesc/waiting.ts';

/** A message of 16 KB in base64, with room for what is around it. */
const MAX_BODY_BYTES = 40_960;

export interface TescRouteDeps {
  verifier: ServiceTokenVerifier;
  time: { wallMs: () => number };
  /** Absent without ZEQ_SYNC_SECRET: every route then answers 503 `tesc_disabled`. */
  tesc?: Tesc | undefined;
}

/** Who calls, and which channel it is about. */
interface Call {
  tesc: Tesc;
  machineId: string;
  id: string;
  req: Request;
  res: Response;
}
type Handler = (call: Call) => Promise<unknown>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  'GET /api/tesc/channels': async ({ tesc, machineId }) => ({
    channels: await listChannels(tesc, machineId),
  }),
  'POST /api/tesc/channels': ({ tesc, machineId, req }) =>
    createChannel(tesc, machineId, parseInput(CreateChannel, req.body ?? {})),
  'GET /api/tesc/channels/:id': ({ tesc, machineId, id }) => showChannel(tesc, machineId, id),
  'DELETE /api/tesc/channels/:id': ({ tesc, machineId, id }) => removeChannel(tesc, machineId, id),
  'POST /api/tesc/channels/:id/join': ({ tesc, machineId, id, req }) => {
    tesc.limits.join(machineId);
    return joinChannel(tesc, machineId, id, parseInput(JoinChannel, req.body));
  },
  'POST /api/tesc/channels/:id/rotate': ({ tesc, machineId, id, req }) =>
    rotateChannel(tesc, machineId, id, parseInput(RotateChannel, req.body ?? {})),
  'POST /api/tesc/channels/:id/messages': ({ tesc, machineId, id, req }) => {
    tesc.limits.send(machineId);
    return sendMessage(tesc, machineId, id, parseInput(SendMessage, req.body));
  },
  'GET /api/tesc/channels/:id/messages': receive,
  'GET /api/tesc/channels/:id/stream': ({ tesc, machineId, id, req, res }) => {
    const { after, open } = parseInput(MessagesQuery, req.query, 'invalid_query');
    const last = Number(req.headers['last-event-id']);
    const from = Number.isSafeInteger(last) && last > after ? last : after;
    return streamMessages(tesc, machineId, id, { after: from, open: open === '1' }, req, res);
  },
};

/** `/api/tesc/*`, from the table of contracts: no handler is reached without the access check of its row. */
export function tescRouter(deps: TescRouteDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/api/tesc/clock', function showOffset(req, res) {
    const { zeqond, phase } = parseInput(ClockQuery, req.query, 'invalid_query');
    res.set('Cache-Control', 'no-store').json(clockOffset(deps.time.wallMs(), zeqond, phase));
  });
  for (const route of ROUTES.filter(isChannelRoute)) {
    const handler = HANDLERS[`${route.method} ${route.path}`];
    if (!handler) throw new Error(`no handler for ${route.method} ${route.path}`);
    const method = route.method.toLowerCase() as 'get' | 'post' | 'delete';
    router[method](route.path, strictJson({ maxBytes: MAX_BODY_BYTES }), answerWith(deps, route, handler));
  }
  return router;
}

const isChannelRoute = ({ path, audience, success }: RouteSpec): boolean =>
  path.startsWith('/api/tesc/') && audience === 'bearer' && success.status !== 101;

const answerWith = (deps: TescRouteDeps, route: RouteSpec, handler: Handler): RequestHandler =>
  async function answer(req, res) {
    const machineId = callerOf(deps.verifier, req.headers[SERVICE_TOKEN_HEADER], route);
    const tesc = requireTesc(deps.tesc);
    const id = req.params.id === undefined ? '' : parseInput(ChannelId, req.params.id, 'not_found');
    const body = await handler({ tesc, machineId, id, req, res });
    if (res.headersSent) return;
    res.status(route.success.status).set('Cache-Control', 'no-store');
    if (body === undefined) res.end();
    else res.json(body);
  };

/** A long poll: answers when there is something, or empty when the time has passed. */
async function receive({ tesc, machineId, id, req, res }: Call) {
  const { after, limit, wait, open } = parseInput(MessagesQuery, req.query, 'invalid_query');
  const left = new AbortController();
  res.once('close', () => left.abort());
  const read = () => readMessages(tesc, machineId, id, { after, limit, open: open === '1' });
  const messages = await readOrWait(tesc.waiting, id, read, { waitMs: wait * 1000, signal: left.signal });
  return { messages, next: messages.at(-1)?.seq ?? after, serverZeqond: zeqondOf(tesc.time.wallMs()) };
}
