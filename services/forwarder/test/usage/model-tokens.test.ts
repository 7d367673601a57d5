import fc from 'fast-check';
import { ModelTokens, observeTokens } from '../../src/usage/model-tokens.ts';

/** @param cuts Where the body is cut into chunks. */
function read(body: string | Buffer, isStream: boolean, cuts: readonly number[] = []) {
  const bytes = Buffer.from(body);
  const tokens = new ModelTokens(isStream);
  const borders = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  for (let i = 1; i < borders.length; i += 1) tokens.chunk(bytes.subarray(borders[i - 1], borders[i]));
  return [tokens.input, tokens.output];
}

const events = (...data: unknown[]): string =>
  data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join('');

/** As the providers document them. */
const ANSWERS: [string, boolean, string, [number, number]][] = [
  [
    'OpenAI chat completion',
    false,
    JSON.stringify({
      id: 'chatcmpl-1',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Hi "you": {"usage":{"prompt_tokens":1}}' } },
      ],
      usage: {
        prompt_tokens: 19,
        completion_tokens: 10,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 5, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    }),
    [19, 10],
  ],
  [
    'OpenAI chat completion, stream with include_usage',
    true,
    events(
      { choices: [{ delta: { content: 'Hel' } }], usage: null },
      { choices: [{ delta: { content: 'lo' } }], usage: null },
      { choices: [], usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 } },
      '[DONE]',
    ),
    [8, 2],
  ],
  [
    'OpenAI response',
    false,
    JSON.stringify({
      object: 'response',
      output: [{ content: [{ text: '…' }] }],
      usage: {
        input_tokens: 36,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 87,
        total_tokens: 123,
      },
    }),
    [36, 87],
  ],
  [
    'OpenAI response, stream',
    true,
    `event: response.created\n${events({ type: 'response.created', response: { usage: null } })}event: response.completed\n${events(
      { type: 'response.completed', response: { id: 'r', usage: { input_tokens: 37, output_tokens: 11 } } },
    )}`,
    [37, 11],
  ],
  [
    'OpenAI embeddings',
    false,
    '{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}',
    [8, -1],
  ],
  [
    'Anthropic message',
    false,
    JSON.stringify({
      type: 'message',
      content: [{ type: 'text', text: 'Hi' }],
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: 1000,
        cache_creation: { ephemeral_5m_input_tokens: 100 },
        output_tokens: 6,
      },
    }),
    [1110, 6],
  ],
  [
    'Anthropic message, stream',
    true,
    `event: message_start\n${events({ type: 'message_start', message: { usage: { input_tokens: 25, output_tokens: 1 } } })}event: ping\n${events({ type: 'ping' })}event: message_delta\n${events({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } })}`,
    [25, 15],
  ],
  [
    'Gemini',
    false,
    JSON.stringify({
      candidates: [{ content: { parts: [{ text: 'Hi' }] } }],
      usageMetadata: {
        promptTokenCount: 4,
        candidatesTokenCount: 7,
        thoughtsTokenCount: 20,
        totalTokenCount: 31,
      },
    }),
    [4, 27],
  ],
  [
    'Gemini, stream of events',
    true,
    events(
      { candidates: [], usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } },
      {
        candidates: [],
        usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 9, totalTokenCount: 13 },
      },
    ),
    [4, 9],
  ],
  [
    'Gemini, stream as a list',
    false,
    '[{"usageMetadata":{"promptTokenCount":4}}\n,\r\n{"usageMetadata": {"promptTokenCount": 5 ,"candidatesTokenCount":9}}\n]',
    [5, 9],
  ],
];

describe.each(ANSWERS)('%s', (_name, isStream, body, expected) => {
  it('states its tokens, wherever it is cut', () => {
    expect(read(body, isStream)).toEqual(expected);
    for (let cut = 1; cut < Buffer.byteLength(body); cut += 1)
      expect(read(body, isStream, [cut])).toEqual(expected);
    const everywhere = Array.from({ length: Buffer.byteLength(body) }, (_, i) => i);
    expect(read(body, isStream, everywhere)).toEqual(expected);
  });
});

describe('what is no statement', () => {
  it.each([
    ['inside a string', '{"a":"{\\"usage\\":{\\"input_tokens\\":1}}"}'],
    ['inside a string that ends in backslashes', '{"a":"\\\\","b":"\\\\\\"usage\\":{\\"input_tokens\\":1}"}'],
    ['inside another object', '{"a":{"usage":{"input_tokens":1}}}'],
    ['inside a list', '{"choices":[{"usage":{"input_tokens":1}}]}'],
    ['a list of lists', '[[{"usage":{"input_tokens":1}}]]'],
    ['below the usage object', '{"usage":{"details":{"input_tokens":1}}}'],
    ['in a list below it', '{"usage":{"input_tokens":[1]}}'],
    ['text', '{"usage":{"input_tokens":"1"}}'],
    ['a fraction', '{"usage":{"input_tokens":1.5}}'],
    ['a power', '{"usage":{"input_tokens":1e3}}'],
    ['below nothing', '{"usage":{"input_tokens":-1}}'],
    ['a huge number', '{"usage":{"input_tokens":1234567890}}'],
    ['of another name', '{"usage":{"tokens":1}}'],
    ['a value that is called so', '{"a":"usage","b":{"input_tokens":1}}'],
    ['a number that does not end', '{"usage":{"input_tokens":1'],
    ['deep down', `${'{"usage":'.repeat(9)}{"input_tokens":1}${'}'.repeat(9)}`],
  ])('%s', (_what, body) => {
    expect(read(body, false)).toEqual([-1, -1]);
  });

  it('is a data line that only looks like one', () => {
    const usage = '{"usage":{"input_tokens":1}}';

    for (const line of [
      `datax: ${usage}`,
      ` data: ${usage}`,
      `: data: ${usage}`,
      `id: ${usage}`,
      `dat\na: ${usage}`,
    ])
      expect(read(`${line}\n\n`, true)).toEqual([-1, -1]);
  });
});

describe('server-sent events', () => {
  it.each(['\n', '\r\n', '\r'])('may end their lines with %j and spread a document over several', (end) => {
    const body = [
      'event: x',
      'data:{"usage":',
      'data: {"input_tokens":',
      'data: 12}}',
      '',
      'data: {',
      '',
      '',
    ].join(end);
    const broken = ['data: {"usage":', '', 'data: {"input_tokens":3}}', '', ''].join(end);

    for (let cut = 0; cut < body.length; cut += 1) expect(read(body, true, [cut])).toEqual([12, -1]);
    expect(read(broken, true)).toEqual([-1, -1]);
  });
});

/** What a parser finds: the oracle of the scan. */
function oracle(document: unknown): [number, number] {
  const tokens = { input: -1, output: -1 };
  for (const root of Array.isArray(document) ? document : [document]) {
    for (const [name, value] of entries(root)) {
      if (isUsage(name)) note(tokens, value);
      if (name === 'response' || name === 'message')
        for (const [inner, usage] of entries(value)) if (isUsage(inner)) note(tokens, usage);
    }
  }
  return [tokens.input, tokens.output];
}

const entries = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
const isUsage = (name: string): boolean => name === 'usage' || name === 'usageMetadata';
function note(tokens: { input: number; output: number }, usage: unknown): void {
  for (const [name, value] of entries(usage)) {
    if (!/^(0|[1-9]\d{0,8})$/.test(JSON.stringify(value) ?? '')) continue;
    if (name === 'input_tokens') tokens.input = value as number;
    if (name === 'output_tokens') tokens.output = value as number;
  }
}

const key = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'usage',
      'usageMetadata',
      'response',
      'message',
      'input_tokens',
      'output_tokens',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 80 }) },
);
const { document } = fc.letrec((tie) => ({
  document: fc.oneof(
    { maxDepth: 6, depthSize: 'large' },
    fc.oneof(
      fc.nat(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.constantFrom(null, true, false),
    ),
    fc.constantFrom('{"usage":{"input_tokens":7}}', '"', '\\', '\\"usage\\":{', '}]'),
    fc.dictionary(key, tie('document'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(tie('document'), { maxLength: 4 }),
  ),
}));
const objects = fc.dictionary(key, document, { maxKeys: 6, noNullPrototype: true });

describe('the scan', () => {
  it('finds in any document, with any white space, cut anywhere, what a parser finds', () => {
    fc.assert(
      fc.property(
        fc.oneof(objects, fc.array(objects, { maxLength: 3 })),
        fc.array(fc.nat(500), { maxLength: 10 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.boolean(),
        (value, cuts, space, escapes) => {
          const text = JSON.stringify(value, null, space);
          // a name may be written with escapes: a and \u0061 are the same
          const body = escapes ? text.replace(/"usage"/g, '"us\\u0061ge"') : text;
          expect(read(body, false, cuts)).toEqual(oracle(JSON.parse(body)));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('takes any bytes at all without a word', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), fc.nat(200), (bytes, isStream, cut) => {
        expect(read(Buffer.from(bytes), isStream, [cut])).toEqual(read(Buffer.from(bytes), isStream));
      }),
    );
  });
});

describe('observeTokens', () => {
  it.each([
    [200, 'application/json', true],
    [200, 'application/json; charset=utf-8', true],
    [201, 'application/vnd.api+json', true],
    [200, 'Text/Event-Stream; charset=utf-8', true],
    [200, 'application/jsonl', false],
    [200, 'text/html', false],
    [200, undefined, false],
    [400, 'application/json', false],
    [101, 'application/json', false],
  ])('of %d with %s: %s', (status, type, expected) => {
    expect(observeTokens(status, { ...(type && { 'content-type': type }) }) !== undefined).toBe(expected);
  });
});
