import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProblemError } from '@zeq/service-kit';
import { openModel } from '../src/seven-step/ask-model.ts';
import type { AskModel, ModelPrompt } from '../src/seven-step/proposal.ts';
import { ALICE, type Engine, startEngine } from './kit/engine.ts';

const QUERY = 'What force accelerates a mass of 5 kg at 3 m/s^2?';

let engine: Engine;
let model: AskModel;
beforeAll(async () => {
  engine = await startEngine({ askModel: (prompt) => model(prompt) });
});
afterAll(() => engine.stop());

/** What /parse answers when the model says this. */
async function parseWith(
  askModel: AskModel,
  body: object = { query: QUERY, model: true },
  asked: Engine = engine,
) {
  model = askModel;
  const { status, body: intent } = await asked.call('POST', '/api/7step/parse', { as: ALICE, body });
  return { status, intent };
}

const saying = (answer: unknown) => async () =>
  typeof answer === 'string' ? answer : JSON.stringify(answer);
const input = (value: unknown, name = 'm') => ({ operator: 'NM19', name, value });

describe("a model's proposal at POST /api/7step/parse", () => {
  it('is taken when it holds, with its quantities read like a caller’s', async () => {
    const { intent } = await parseWith(
      saying(
        `Sure! {"operators":["NM19"],"inputs":[{"operator":"NM19","name":"m","value":"5000 g"}]} Anything else?`,
      ),
    );

    expect(intent).toEqual({
      domain: 'newtonian',
      confidence: 0.5,
      operators: ['KO42', 'NM19'],
      candidates: [{ id: 'NM19', name: expect.any(String), score: 0 }],
      inputs: [{ operator: 'NM19', name: 'm', value: 5, unit: 'kg', how: 'model' }],
      missing: [{ operator: 'NM19', name: 'a', unit: 'm/s^2', description: expect.any(String) }],
      warnings: [],
      source: 'model',
    });
  });

  it.each<[string, unknown]>([
    ['text without JSON', 'I think it is Newton.'],
    ['half an object', '{"operators":["NM19"'],
    ['no operator', { operators: [] }],
    ['four operators', { operators: ['NM19', 'NM22', 'NM23', 'KO1'] }],
    ['an operator that was not offered', { operators: ['CAPM'] }],
    ['an operator that does not exist', { operators: ['NM19', 'EVIL'] }],
    ['a name of the runtime', { operators: ['__proto__'] }],
    ['a parameter that does not exist', { operators: ['NM19'], inputs: [input(1, 'q')] }],
    [
      'an input of an operator it did not choose',
      { operators: ['NM19'], inputs: [{ ...input(1), operator: 'NM22' }] },
    ],
    ['a wrong dimension', { operators: ['NM19'], inputs: [input('5 s')] }],
    ['a value outside its bounds', { operators: ['NM19'], inputs: [input(-5)] }],
    ['code for a value', { operators: ['NM19'], inputs: [input('process.exit()')] }],
    ['a sweep', { operators: ['NM19'], inputs: [input([1, 2])] }],
    ['a field nobody asked for', { operators: ['NM19'], run: 'rm' }],
  ])('is dropped for the rules when it gives %s', async (_what, answer) => {
    const { status, intent } = await parseWith(saying(answer));

    expect(status).toBe(200);
    expect([intent.source, intent.operators]).toEqual(['rules', ['KO42', 'NM19']]);
    expect(intent.warnings).toContain('the model gave no reading that holds');
  });

  it('is not waited for when the model is away, and not asked for unless the caller wants it', async () => {
    const away = await parseWith(() => Promise.reject(new ProblemError('service_unavailable', 'away')));
    const without = await startEngine();
    const none = await parseWith(model, { query: QUERY, model: true }, without);
    await without.stop();
    const unasked = await parseWith(() => Promise.reject(new Error('asked')), { query: QUERY });

    expect(away.intent.warnings).toContain('the model could not be asked');
    expect(none.intent.warnings).toContain('no model is registered');
    expect([unasked.status, unasked.intent.warnings]).toEqual([200, []]);
  });

  it('is asked for without showing the model an equation', async () => {
    const prompts: ModelPrompt[] = [];
    await parseWith(async (prompt) => {
      prompts.push(prompt);
      return '{}';
    });
    const { question, operators } = JSON.parse(prompts[0]!.user);

    expect(question).toBe(QUERY);
    expect(operators.length).toBeGreaterThan(3);
    expect(new Set(operators.flatMap(Object.keys))).toEqual(new Set(['id', 'name', 'parameters']));
  });
});

describe('openModel', () => {
  async function askWith(status: number, answer: string) {
    const seen: { req: IncomingMessage; body: string }[] = [];
    const gateway = createServer(async (req, res) => {
      let body = '';
      for await (const chunk of req) body += chunk;
      seen.push({ req, body });
      res.writeHead(status).end(answer);
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const gatewayUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const ask = openModel({ gatewayUrl, slug: 'platform', api: 'openai', token: 'zat_x', model: 'gpt' });
    const result = await ask({ system: 's', user: 'u' }).catch((err: unknown) => err);
    gateway.closeAllConnections();
    gateway.close();
    return { result, seen };
  }

  it("asks through the gateway's forward route, with its token", async () => {
    const { result, seen } = await askWith(200, '{"choices":[{"message":{"content":"hello"}}]}');

    expect(result).toBe('hello');
    expect(seen[0]!.req.url).toBe('/api/zeq/apis/platform/openai/forward/v1/chat/completions');
    expect(seen[0]!.req.headers.authorization).toBe('Bearer zat_x');
    expect(JSON.parse(seen[0]!.body)).toEqual({
      model: 'gpt',
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'u' },
      ],
      temperature: 0,
      max_tokens: 1000,
    });
  });

  it.each<[string, number, string]>([
    ['a refusal', 403, '{}'],
    ['another form', 200, '{"choices":[]}'],
    ['no JSON', 200, 'hello'],
    ['a flood', 200, 'x'.repeat(70_000)],
  ])('calls %s a model that could not be asked', async (_what, status, answer) => {
    const { result } = await askWith(status, answer);

    expect(result).toMatchObject({ name: 'ProblemError', code: 'service_unavailable' });
  });
});
