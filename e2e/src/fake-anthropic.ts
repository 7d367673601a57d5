import type { IncomingMessage, ServerResponse } from 'node:http';
import { Gate } from './gate.ts';
import {
  type LocalUpstream,
  openLocalUpstream,
  presentsKey,
  type RegisteredKey,
  readBody,
  readUpload,
  sendJson,
} from './local-upstream.ts';

/** The words of every answer; a stream sends them one event each. */
export const ANTHROPIC_WORDS = ['Badgers', ' dig', ' long', ' tunnels', '.'];

/** Models that make the upstream behave in a certain way; any other model simply answers. */
export const ANTHROPIC_MODELS = {
  /** Each delta of the stream waits for `gate.release()`. */
  gated: 'fake-gated',
  /** 429 with Retry-After. */
  limited: 'fake-limited',
} as const;

export type FakeAnthropic = LocalUpstream & { gate: Gate };

interface MessagesRequest {
  model?: string;
  max_tokens?: number;
  messages?: { role: string; content: unknown }[];
  stream?: boolean;
  tools?: { name: string }[];
}

/**
 * Speaks the wire format of the Anthropic API: messages (JSON, typed server-sent events, tool use), models, file upload, and
 * its errors. Whoever does not bring exactly the registered key gets 401, whoever names no version 400.
 */
export async function openFakeAnthropic(key: RegisteredKey): Promise<FakeAnthropic> {
  const gate = new Gate();
  const upstream = await openLocalUpstream({
    answer: (req, res) => {
      if (!presentsKey(req, key)) return refuse(res, 401, 'authentication_error', 'invalid x-api-key');
      if (!req.headers['anthropic-version'])
        return refuse(res, 400, 'invalid_request_error', 'anthropic-version: header is required');
      route(req, res, gate).catch((err: Error) => refuse(res, 400, 'invalid_request_error', err.message));
    },
  });
  return { ...upstream, gate };
}

async function route(req: IncomingMessage, res: ServerResponse, gate: Gate): Promise<void> {
  const path = new URL(req.url ?? '/', 'http://fake').pathname;
  switch (`${req.method} ${path}`) {
    case 'POST /v1/messages':
      return messages(JSON.parse((await readBody(req)).toString('utf8')), res, gate);
    case 'POST /v1/files':
      return takeFile(req, res);
    case 'GET /v1/models':
      return sendJson(res, 200, { data: [MODEL], has_more: false, first_id: MODEL.id, last_id: MODEL.id });
    default:
      refuse(res, 404, 'not_found_error', `${path} is not known`);
  }
}

async function messages(request: MessagesRequest, res: ServerResponse, gate: Gate): Promise<void> {
  if (!Array.isArray(request.messages))
    return refuse(res, 400, 'invalid_request_error', 'messages: Field required');
  if (request.model === ANTHROPIC_MODELS.limited)
    return refuse(res, 429, 'rate_limit_error', 'Rate limit reached.', { 'retry-after': '7' });
  if (request.stream) return streamMessage(request, res, gate);
  const content = [
    request.tools ? toolUse(request, { city: 'Vienna' }) : textBlock(ANTHROPIC_WORDS.join('')),
  ];
  const stop = { stop_reason: request.tools ? 'tool_use' : 'end_turn', stop_sequence: null };
  sendJson(res, 200, { ...head(request), content, ...stop, usage: USAGE }, { 'request-id': 'req_fake' });
}

async function streamMessage(request: MessagesRequest, res: ServerResponse, gate: Gate): Promise<void> {
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_fake' });
  res.flushHeaders();
  const start = { ...head(request), content: [], stop_reason: null, stop_sequence: null, usage: USAGE };
  sendEvent(res, 'message_start', { message: start });
  const block = request.tools ? toolUse(request, {}) : textBlock('');
  sendEvent(res, 'content_block_start', { index: 0, content_block: block });
  sendEvent(res, 'ping', {});
  for (const delta of deltas(request)) {
    if (request.model === ANTHROPIC_MODELS.gated && !(await gate.pass(gone.signal))) return;
    sendEvent(res, 'content_block_delta', { index: 0, delta });
  }
  sendEvent(res, 'content_block_stop', { index: 0 });
  const stop = { stop_reason: request.tools ? 'tool_use' : 'end_turn', stop_sequence: null };
  sendEvent(res, 'message_delta', { delta: stop, usage: { output_tokens: 5 } });
  sendEvent(res, 'message_stop', {});
  res.end();
}

function sendEvent(res: ServerResponse, type: string, rest: object): void {
  res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
}

const deltas = (request: MessagesRequest) =>
  request.tools
    ? ['{"city"', ':"Vienna"}'].map((text) => ({ type: 'input_json_delta', partial_json: text }))
    : ANTHROPIC_WORDS.map((text) => ({ type: 'text_delta', text }));

const head = (request: MessagesRequest) => ({
  id: 'msg_fake',
  type: 'message',
  role: 'assistant',
  model: request.model,
});

const textBlock = (text: string) => ({ type: 'text', text, citations: null });

const toolUse = (request: MessagesRequest, input: object) => ({
  type: 'tool_use',
  id: 'toolu_fake',
  name: request.tools![0]!.name,
  input,
});

async function takeFile(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { file } = await readUpload(req);
  const stated = { id: 'file_fake', type: 'file', created_at: '2026-01-01T00:00:00Z', downloadable: false };
  sendJson(res, 200, { ...stated, filename: file.name, mime_type: file.type, size_bytes: file.size });
}

const USAGE = { input_tokens: 9, output_tokens: 5 };
const MODEL = {
  id: 'claude-fake',
  type: 'model',
  display_name: 'Claude Fake',
  created_at: '2026-01-01T00:00:00Z',
};

function refuse(
  res: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  sendJson(res, status, { type: 'error', error: { type, message }, request_id: 'req_fake' }, headers);
}
