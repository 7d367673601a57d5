import { randomBytes } from 'node:crypto';
import OpenAI from 'openai';
import { type FakeOpenai, OPENAI_MODELS, OPENAI_WORDS, openFakeOpenai } from '../src/fake-openai.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { openTranscript, type Transcript } from '../src/transcript.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const KEY = `sk-canary-${randomBytes(24).toString('hex')}`;
const MESSAGES = [{ role: 'user' as const, content: 'Tell me something about foxes.' }];
const TOOL = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

let upstream: FakeOpenai;
let mesh: TestMesh;
let transcript: Transcript;
let roads: Record<string, OpenAI>;

beforeAll(async () => {
  upstream = await openFakeOpenai({ header: 'authorization', value: `Bearer ${KEY}` });
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  const api = { name: 'openai', base_url: upstream.origin, auth_header: `Authorization: Bearer ${KEY}` };
  const { forward } = await mesh.register(api);
  const { token } = await mesh.mintToken('openai');
  transcript = openTranscript();
  const meshed = { baseURL: `${forward}/v1`, apiKey: token, fetch: transcript.fetch, maxRetries: 0 };
  roads = {
    directly: new OpenAI({ baseURL: `${upstream.origin}/v1`, apiKey: KEY, maxRetries: 0 }),
    'through the mesh': new OpenAI(meshed),
  };
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

beforeEach(() => upstream.gate.close());

// The same calls on both roads: the first shows that the upstream speaks the format, the second that the mesh changes nothing.
describe.each(['directly', 'through the mesh'])('the openai package, %s', (road) => {
  const client = () => roads[road]!;

  it('completes a chat', async () => {
    const answer = await client().chat.completions.create({ model: 'gpt-4.1', messages: MESSAGES });

    expect(answer.choices[0]!.message.content).toBe(OPENAI_WORDS.join(''));
    expect(answer.usage).toEqual({ prompt_tokens: 9, completion_tokens: 8, total_tokens: 17 });
  });

  it('streams a chat event by event', async () => {
    const stream = await client().chat.completions.create({
      model: OPENAI_MODELS.gated,
      messages: MESSAGES,
      stream: true,
    });
    const words: string[] = [];

    upstream.gate.release();
    for await (const event of stream) {
      words.push(event.choices[0]?.delta.content ?? '');
      upstream.gate.release(); // the next event is not even made before this one is here
    }

    expect(words.join('')).toBe(OPENAI_WORDS.join(''));
    expect(words.length).toBeGreaterThanOrEqual(OPENAI_WORDS.length + 1);
  });

  it('calls a tool, streamed', async () => {
    const runner = client().chat.completions.stream({ model: 'gpt-4.1', messages: MESSAGES, tools: [TOOL] });
    const { choices } = await runner.finalChatCompletion();

    expect(choices[0]!.finish_reason).toBe('tool_calls');
    expect(choices[0]!.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'weather', arguments: '{"city":"Vienna"}' },
    });
  });

  it('throws its own error classes for the errors of the upstream', async () => {
    const chat = client().chat.completions;

    await expect(chat.create({ model: OPENAI_MODELS.limited, messages: MESSAGES })).rejects.toMatchObject({
      constructor: OpenAI.RateLimitError,
      status: 429,
      code: 'rate_limit_exceeded',
      headers: expect.objectContaining({ get: expect.any(Function) }),
    });
    await expect(chat.create({ model: 'gpt-4.1' } as never)).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      code: 'missing_required_parameter',
    });
    await expect(client().models.retrieve('no-such-model')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('stops the upstream when it aborts a stream', async () => {
    const stream = await client().chat.completions.create({
      model: OPENAI_MODELS.gated,
      messages: MESSAGES,
      stream: true,
    });
    const arrival = upstream.arrivals.at(-1)!;
    upstream.gate.release();

    for await (const _event of stream) break; // leaves the loop, which aborts the request

    await until(() => arrival.aborted);
  });

  it('sends a body of 2 MB whole', async () => {
    const content = randomBytes(1024 * 1024).toString('hex');

    await client().chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content }] });

    const arrival = upstream.arrivals.at(-1)!;
    expect(arrival.bodyBytes).toBeGreaterThan(2 * 1024 * 1024);
    expect(arrival.complete).toBe(true);
  });

  it('uploads a file', async () => {
    const file = new File([randomBytes(300_000)], 'training.jsonl', { type: 'application/jsonl' });

    const answer = await client().files.create({ file, purpose: 'fine-tune' });

    expect(answer).toMatchObject({ bytes: 300_000, filename: 'training.jsonl', purpose: 'fine-tune' });
  });

  it('lists models and makes a response', async () => {
    const models = await client().models.list();
    const response = await client().responses.create({ model: 'gpt-4.1', input: 'foxes' });

    expect(models.data.map((model) => model.id)).toEqual(['gpt-4.1', 'gpt-4.1-mini']);
    expect(response.output_text).toBe(OPENAI_WORDS.join(''));
  });
});

describe('the upstream behind the mesh', () => {
  it('never saw the token of the caller, and its key never came back', async () => {
    const seen = upstream.arrivals.map((arrival) => arrival.rawHeaders.join('\n')).join('\n');

    expect(seen).not.toMatch(/z(at|sm)_/);
    expect(seen.toLowerCase()).not.toContain('x-zeq-');
    expect(await transcript.text()).not.toContain(KEY);
  });
});
