import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChannelId, SERVICE_TOKEN_HEADER, SendMessage, toProblemDocument } from '@zeq/contracts';
import {
  type Logger,
  ProblemError,
  parseInput,
  requestIdOf,
  type ServiceTokenVerifier,
  safeError,
  toProblem,
} from '@zeq/service-kit';
import { type WebSocket, WebSocketServer } from 'ws';
import { callerOf, requireTesc } from './access.ts';
import { requireSeen } from './channels.ts';
import { sendMessage } from './messages.ts';
import { feedMessages } from './stream.ts';
import type { Tesc } from './tesc.ts';

export const TESC_SOCKET_PATH = /^\/api\/tesc\/channels\/([^/]+)\/ws$/;
const MAX_INBOUND_BYTES = 40_960;
/** A peer that has this much waiting does not read. */
const MAX_WAITING_BYTES = 1_048_576;

/**
 * Channels over WebSocket. Each text frame from the client is one message to send, as JSON; it is answered by `{type: "sent", …}` or
 * `{type: "problem", …}` in the order of the frames. Messages of the channel come as they are stored.
 */
export class TescSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_INBOUND_BYTES,
  });
  readonly #deps: { tesc: Tesc | undefined; verifier: ServiceTokenVerifier; log: Logger };

  constructor(deps: { tesc: Tesc | undefined; verifier: ServiceTokenVerifier; log: Logger }) {
    this.#deps = deps;
  }

  /** @throws ProblemError before anything is upgraded. */
  async accept(req: IncomingMessage, socket: Duplex, head: Buffer, path: string): Promise<void> {
    const token = req.headers[SERVICE_TOKEN_HEADER];
    const machineId = callerOf(this.#deps.verifier, token, { audience: 'bearer', method: 'GET' });
    const tesc = requireTesc(this.#deps.tesc);
    const id = parseInput(ChannelId, TESC_SOCKET_PATH.exec(path)?.[1], 'not_found');
    await requireSeen(tesc.store, id, machineId);
    const query = new URLSearchParams(req.url?.split('?')[1] ?? '');
    const from = { after: Math.max(0, Number(query.get('after')) || 0), open: query.get('open') === '1' };
    const speak = () => void callerOf(this.#deps.verifier, token, { audience: 'bearer', method: 'POST' });
    this.#server.handleUpgrade(req, socket, head, (ws) =>
      this.#serve(ws, tesc, { machineId, id, from, speak }, req),
    );
  }

  close(): void {
    for (const ws of this.#server.clients) ws.close(1001, 'the engine is stopping');
    this.#server.close();
  }

  #serve(
    ws: WebSocket,
    tesc: Tesc,
    {
      machineId,
      id,
      from,
      speak,
    }: { machineId: string; id: string; from: { after: number; open: boolean }; speak: () => void },
    req: IncomingMessage,
  ): void {
    const left = new AbortController();
    ws.on('close', () => left.abort());
    ws.on('error', () => ws.terminate());
    const requestId = requestIdOf(req.headers['x-request-id']);
    let work = Promise.resolve();
    ws.on('message', (data, isBinary) => {
      work = work.then(async () =>
        say(ws, await this.#send(tesc, machineId, id, speak, isBinary ? '' : String(data), requestId)),
      );
    });
    feedMessages(tesc, machineId, id, from, {
      deliver: async (message) => say(ws, message),
      idle: () => ws.ping(),
      signal: left.signal,
    }).then(
      () => ws.close(1000, 'come back'),
      (err: unknown) => {
        if (!left.signal.aborted)
          this.#deps.log.warn({ err: safeError(err) }, 'a channel socket was cut off');
        ws.close(1011);
      },
    );
  }

  async #send(tesc: Tesc, machineId: string, id: string, speak: () => void, text: string, requestId: string) {
    try {
      speak();
      tesc.limits.send(machineId);
      return {
        type: 'sent',
        ...(await sendMessage(tesc, machineId, id, parseInput(SendMessage, parseJson(text)))),
      };
    } catch (err) {
      const { code, detail } = toProblem(err);
      if (code === 'internal')
        this.#deps.log.error({ err: safeError(err), request_id: requestId }, 'send failed');
      const members = err instanceof ProblemError ? err.members : {};
      return { type: 'problem', problem: { ...members, ...toProblemDocument(code, detail, requestId) } };
    }
  }
}

function say(ws: WebSocket, message: object): void {
  if (ws.bufferedAmount > MAX_WAITING_BYTES) ws.terminate();
  else ws.send(JSON.stringify(message));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError('invalid_json', 'Each text frame is one JSON document.');
  }
}
