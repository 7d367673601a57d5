import type { ApiView } from '@zeq/contracts';

/** A request to begin with. */
export interface Sample {
  label: string;
  method: string;
  path: string;
  body: string;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);
const ASK = [{ role: 'user', content: 'Say hello in one short sentence.' }];
/** Small models of each provider. Names age: they stand in a field that can be edited. */
const MODELS: Record<string, string> = {
  openai: 'gpt-4o-mini',
  mistral: 'mistral-small-latest',
  deepseek: 'deepseek-chat',
  fireworks: 'accounts/fireworks/models/llama-v3p1-8b-instruct',
  groq: 'llama-3.1-8b-instant',
  openrouter: 'openai/gpt-4o-mini',
  together: 'meta-llama/Llama-3.2-3B-Instruct-Turbo',
  ollama: 'llama3.2',
};

/** Requests that make sense for an API: a streamed answer first where its provider has one. */
export function samplesFor(api: Pick<ApiView, 'provider' | 'test_path' | 'schema'>): [Sample, ...Sample[]] {
  const [first, ...others] = pathsIn(api.schema).map(get);
  if (first !== undefined) return [first, ...others];
  const stream = streamFor(api.provider);
  const look = get(api.test_path ?? '/');
  return stream === undefined ? [look] : [stream, look];
}

const get = (path: string): Sample => ({ label: `GET ${path}`, method: 'GET', path, body: '' });

/** More than these would not be a choice any more. */
const MAX_PATHS = 4;

/** Paths without parameters that an OpenAPI description says can be read. */
function pathsIn(schema: ApiView['schema']): string[] {
  const paths = isRecord(schema) && isRecord(schema.paths) ? schema.paths : {};
  return Object.entries(paths)
    .filter(([path, item]) => path.startsWith('/') && !path.includes('{') && isRecord(item) && 'get' in item)
    .slice(0, MAX_PATHS)
    .map(([path]) => path);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function streamFor(provider: string | null): Sample | undefined {
  const label = 'Streamed answer';
  if (provider === 'anthropic')
    return {
      label,
      method: 'POST',
      path: '/v1/messages',
      body: json({ model: 'claude-3-5-haiku-latest', max_tokens: 128, stream: true, messages: ASK }),
    };
  if (provider === 'gemini')
    return {
      label,
      method: 'POST',
      path: '/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse',
      body: json({ contents: [{ parts: [{ text: ASK[0]?.content }] }] }),
    };
  const model = MODELS[provider ?? ''];
  if (model === undefined) return undefined;
  const path = provider === 'deepseek' ? '/chat/completions' : '/v1/chat/completions';
  return { label, method: 'POST', path, body: json({ model, stream: true, messages: ASK }) };
}
