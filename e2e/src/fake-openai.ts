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
export const OPENAI_WORDS = ['Foxes', ' are', ' small', ' to', ' medium', '-sized', ' canids', '.'];

/** Models that make the upstream behave in a certain way; any other model simply answers. */
export const OPENAI_MODELS = {
  /** Each event of the stream waits for `gate.release()`. */
  gated: 'fake-gated',
  /** 429 with Retry-After. */
  limited: 'fake-limited',
} as const;

export type FakeOpenai = LocalUpstream & { gate: Gate };

interface ChatRequest {
  model?: string;
  messages?: { role: string; content: unknown }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  tools?: { function: { name: string } }[];
}

/**
 * Speaks the wire format of the OpenAI API: chat completions (JSON, server-sent events, tool calls), responses, models, file
 * upload, and its errors. Whoever does not bring exactly the registered key gets 401.
 */
export async function openFakeOpenai(key: RegisteredKey): Promise<FakeOpenai> {
  const gate = new Gate();
  const upstream = await openLocalUpstream({
    answer: (req, res) => {
      if (!presentsKey(req, key)) return refuse(res, 401, 'Incorrect API key provided.', 'invalid_api_key');
      route(req, res, gate).catch((err: Error) => refuse(res, 400, err.message, 'bad_request'));
    },
  });
  return { ...upstream, gate };
}

async function route(req: IncomingMessage, res: ServerResponse, gate: Gate): Promise<void> {
  const path = new URL(req.url ?? '/', 'http://fake').pathname;
  switch (`${req.method} ${path}`) {
    case 'POST /v1/chat/completions':
      return chat(await readRequest(req), res, gate);
    case 'POST /v1/responses':
      return respond(await readRequest(req), res);
    case 'POST /v1/files':
      return takeFile(req, res);
    case 'GET /v1/models':
      return sendJson(res, 200, { object: 'list', data: [model('gpt-4.1'), model('gpt-4.1-mini')] });
    default:
      refuse(res, 404, `Invalid URL (${req.method} ${path})`, null);
  }
}

const readRequest = async (req: IncomingMessage) =>
  JSON.parse((await readBody(req)).toString('utf8')) as ChatRequest;

async function chat(request: ChatRequest, res: ServerResponse, gate: Gate): Promise<void> {
  if (!Array.isArray(request.messages))
    return refuse(res, 400, "Missing required parameter: 'messages'.", 'missing_required_parameter');
  if (request.model === OPENAI_MODELS.limited)
    return refuse(res, 429, 'Rate limit reached.', 'rate_limit_exceeded', { 'retry-after': '7' });
  if (request.stream) return streamChat(request, res, gate);
  const message = request.tools
    ? toolMessage(request)
    : { role: 'assistant', content: OPENAI_WORDS.join('') };
  const choice = { index: 0, message, logprobs: null, finish_reason: request.tools ? 'tool_calls' : 'stop' };
  sendJson(res, 200, { ...head(request, 'chat.completion'), choices: [choice], usage: USAGE }, LIMITS);
}

async function streamChat(request: ChatRequest, res: ServerResponse, gate: Gate): Promise<void> {
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...LIMITS });
  res.flushHeaders();
  const deltas = request.tools ? toolDeltas(request) : OPENAI_WORDS.map((content) => ({ content }));
  for (const delta of [{ role: 'assistant', content: '' }, ...deltas]) {
    if (request.model === OPENAI_MODELS.gated && !(await gate.pass(gone.signal))) return;
    sendEvent(res, request, [{ index: 0, delta, finish_reason: null }]);
  }
  sendEvent(res, request, [{ index: 0, delta: {}, finish_reason: request.tools ? 'tool_calls' : 'stop' }]);
  if (request.stream_options?.include_usage) sendEvent(res, request, [], USAGE);
  res.end('data: [DONE]\n\n');
}

function sendEvent(
  res: ServerResponse,
  request: ChatRequest,
  choices: unknown[],
  usage: unknown = null,
): void {
  const event = { ...head(request, 'chat.completion.chunk'), choices, usage };
  res.write(`data: ${JSON.stringify(event)}\n\n`);
}

const head = (request: ChatRequest, object: string) => ({
  id: 'chatcmpl-fake',
  object,
  created: 1_741_569_952,
  model: request.model ?? 'gpt-4.1',
  service_tier: 'default',
  system_fingerprint: 'fp_fake',
});

const ARGUMENTS = ['{"city"', ':"Vienna"', '}'];

const toolMessage = (request: ChatRequest) => ({
  role: 'assistant',
  content: null,
  tool_calls: [toolCall(request, ARGUMENTS.join(''))],
});

/** A streamed tool call: the name first, then its arguments in pieces. */
const toolDeltas = (request: ChatRequest) => [
  { tool_calls: [{ index: 0, ...toolCall(request, '') }] },
  ...ARGUMENTS.map((text) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
];

const toolCall = (request: ChatRequest, text: string) => ({
  id: 'call_fake',
  type: 'function',
  function: { name: request.tools![0]!.function.name, arguments: text },
});

function respond(request: ChatRequest, res: ServerResponse): void {
  const content = [{ type: 'output_text', text: OPENAI_WORDS.join(''), annotations: [] }];
  const output = [{ id: 'msg_fake', type: 'message', role: 'assistant', status: 'completed', content }];
  const usage = { input_tokens: 9, output_tokens: 8, total_tokens: 17 };
  const rest = { object: 'response', status: 'completed', model: request.model, error: null };
  sendJson(res, 200, { id: 'resp_fake', created_at: 1_741_569_952, ...rest, output, usage });
}

async function takeFile(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { file, fields } = await readUpload(req);
  const stated = { id: 'file-fake', object: 'file', created_at: 1_741_569_952, status: 'processed' };
  sendJson(res, 200, { ...stated, bytes: file.size, filename: file.name, purpose: fields.get('purpose') });
}

const USAGE = { prompt_tokens: 9, completion_tokens: 8, total_tokens: 17 };
const LIMITS = { 'x-request-id': 'req_fake', 'x-ratelimit-remaining-requests': '9999' };

const model = (id: string) => ({ id, object: 'model', created: 1_741_569_952, owned_by: 'openai' });

function refuse(
  res: ServerResponse,
  status: number,
  message: string,
  code: string | null,
  headers: Record<string, string> = {},
): void {
  const type = status === 429 ? 'requests' : 'invalid_request_error';
  sendJson(res, status, { error: { message, type, param: null, code } }, headers);
}
