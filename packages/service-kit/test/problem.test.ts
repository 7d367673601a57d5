import { PassThrough } from 'node:stream';
import express from 'express';
import request from 'supertest';
import { z } from 'zod';
import { buildLogger, ProblemError, parseInput, problemHandler, requestId } from '../src/index.ts';

function setup(thrown: unknown) {
  const lines = new PassThrough();
  const log = buildLogger('test', 'debug', lines);
  const app = express();
  app.use(requestId());
  app.post('/json', express.json({ limit: 100 }), (_req, res) => void res.json({}));
  app.get('/', () => {
    throw thrown;
  });
  app.use(problemHandler(log));
  return { app, logged: () => String(lines.read() ?? '') };
}

describe('problemHandler', () => {
  it('answers an expected failure with its code, status and text', async () => {
    const { app } = setup(new ProblemError('name_taken', 'You already have an API of that name.'));

    const res = await request(app).get('/').set('X-Request-Id', 'test-request-1').expect(409);

    expect(res.headers['content-type']).toBe('application/problem+json');
    expect(res.headers['x-zeq-error']).toBe('name_taken');
    expect(res.headers['cache-control']).toBe('no-store');
    expect(res.body).toEqual({
      type: 'https://zeqsdk.com/problems/name_taken',
      title: 'The name is taken',
      status: 409,
      code: 'name_taken',
      detail: 'You already have an API of that name.',
      request_id: 'test-request-1',
    });
  });

  it('answers anything else as internal, with nothing of its text, and logs its stack', async () => {
    const { app, logged } = setup(new Error('password=hunter2'));

    const res = await request(app).get('/').expect(500);

    expect(res.body.code).toBe('internal');
    expect(JSON.stringify(res.body)).not.toContain('hunter2');
    expect(logged()).toContain('request failed');
  });

  it('states Retry-After where the failure names it, and always on 503', async () => {
    await request(setup(new ProblemError('rate_limited', 'Slow down.', { retryAfter: 7.2 })).app)
      .get('/')
      .expect('Retry-After', '8');
    await request(setup(new ProblemError('overloaded', 'Later.')).app)
      .get('/')
      .expect('Retry-After', '1');
  });

  it('tells bad JSON and large bodies apart', async () => {
    const { app } = setup(undefined);
    const post = (body: string) =>
      request(app).post('/json').set('Content-Type', 'application/json').send(body);

    expect((await post('{"a":')).body.code).toBe('invalid_json');
    expect((await post(`{"a":"${'x'.repeat(200)}"}`)).body.code).toBe('payload_too_large');
  });
});

describe('parseInput', () => {
  it('names each wrong field and what is expected, without its value', () => {
    const schema = z.strictObject({ name: z.string(), n: z.int() });

    const attempt = () => parseInput(schema, { name: 5, n: 'hunter2', hunter3: 1 });

    expect(attempt).toThrow(ProblemError);
    expect(attempt).toThrow(/name: .*string.*; n: .*; the body: has fields that are not known here/);
    expect(() => parseInput(schema, [], 'invalid_query')).toThrow(/^the query: /);
    expect(attempt).not.toThrow(/hunter/);
  });
});
