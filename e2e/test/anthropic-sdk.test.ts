import { randomBytes } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import {
  ANTHROPIC_MODELS,
  ANTHROPIC_WORDS,
  type FakeAnthropic,
  openFakeAnthropic,
} from '../src/fake-anthropic.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { openTranscript, type Transcript } from '../src/transcript.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const KEY = `sk-ant-canary-${randomBytes(24).toString('hex')}`;
const ASK = {
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Tell me something about badgers.' }],
};
const TOOL = {
  name: 'weather',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
};

const DIRECTLY = 'version 0, directly';
const BY_X_API_KEY = 'version 0 through the mesh, its token in x-api-key';
const BY_BEARER = 'version 1 through the mesh, its token in Authorization';
/** Version 0 has the calls that are made here with the same types. */
const as1 = (client: Anthropic0) => client as unknown as Anthropic;

let upstream: FakeAnthropic;
let mesh: TestMesh;
let transcript: Transcript;
let roads: Record<string, Anthropic>;

beforeAll(async () => {
  upstream = await openFakeAnthropic({ header: 'x-api-key', value: KEY });
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  const { forward } = await mesh.register({
    name: 'anthropic',
    provider: 'anthropic',
    base_url: upstream.origin,
    api_key: KEY,
  });
  const { token } = await mesh.mintToken('anthropic');
  transcript = openTranscript();
  const meshed = { baseURL: forward, apiKey: token, fetch: transcript.fetch, maxRetries: 0 };
  roads = {
    [DIRECTLY]: as1(new Anthropic0({ baseURL: upstream.origin, apiKey: KEY, maxRetries: 0 })),
    [BY_X_API_KEY]: as1(new Anthropic0(meshed)),
    [BY_BEARER]: new Anthropic(meshed),
  };
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

beforeEach(() => upstream.gate.close());

describe.each([DIRECTLY, BY_X_API_KEY, BY_BEARER])('the @anthropic-ai/sdk package, %s', (road) => {
  const client = () => roads[road]!;

  it('writes a message', async () => {
    const answer = await client().messages.create({ model: 'claude-fake', ...ASK });

    expect(answer.content).toEqual([{ type: 'text', text: ANTHROPIC_WORDS.join(''), citations: null }]);
    expect(answer._request_id).toBe('req_fake');
  });

  it('streams a message event by event', async () => {
    const stream = client().messages.stream({ model: ANTHROPIC_MODELS.gated, ...ASK });
    const words: string[] = [];
    stream.on('text', (word) => {
      words.push(word);
      upstream.gate.release(); // the next event is not even made before this one is here
    });
    upstream.gate.release();

    const answer = await stream.finalMessage();

    expect(words).toEqual(ANTHROPIC_WORDS);
    expect(answer.stop_reason).toBe('end_turn');
  });

  it('uses a tool, streamed', async () => {
    const stream = client().messages.stream({ model: 'claude-fake', ...ASK, tools: [TOOL] });

    const answer = await stream.finalMessage();

    expect(answer.stop_reason).toBe('tool_use');
    expect(answer.content[0]).toMatchObject({ type: 'tool_use', name: 'weather', input: { city: 'Vienna' } });
  });

  it('throws its own error classes for the errors of the upstream', async () => {
    const { messages } = client();

    const limited = await failureOf(messages.create({ model: ANTHROPIC_MODELS.limited, ...ASK }));
    const malformed = await failureOf(messages.create({ model: 'claude-fake', max_tokens: 1 } as never));

    expect(limited).toMatchObject({ class: 'RateLimitError', status: 429, type: 'rate_limit_error' });
    expect(malformed).toMatchObject({ class: 'BadRequestError', status: 400, type: 'invalid_request_error' });
  });

  it('stops the upstream when it aborts a stream', async () => {
    const stream = client().messages.stream({ model: ANTHROPIC_MODELS.gated, ...ASK });
    stream.on('text', () => stream.abort());
    upstream.gate.release();

    expect(await failureOf(stream.done())).toMatchObject({ class: 'APIUserAbortError' });

    await until(() => upstream.arrivals.at(-1)!.aborted);
  });

  it('sends a body of 2 MB whole', async () => {
    const content = randomBytes(1024 * 1024).toString('hex');

    await client().messages.create({ model: 'claude-fake', ...ASK, messages: [{ role: 'user', content }] });

    const arrival = upstream.arrivals.at(-1)!;
    expect(arrival.bodyBytes).toBeGreaterThan(2 * 1024 * 1024);
    expect(arrival.complete).toBe(true);
  });

  it('uploads a file', async () => {
    const file = new File([randomBytes(300_000)], 'notes.txt', { type: 'text/plain' });

    const answer = await client().beta.files.upload({ file });

    expect(answer).toMatchObject({ size_bytes: 300_000, filename: 'notes.txt', mime_type: 'text/plain' });
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

/** What an SDK threw, told by the name of its class, which both versions share. */
async function failureOf(call: PromiseLike<unknown>) {
  const error = await call.then(
    () => new Error('it did not fail'),
    (err: Error) => err,
  );
  const { status, error: body } = error as { status?: number; error?: { error?: { type?: string } } };
  return { class: error.constructor.name, status, type: body?.error?.type };
}
