import type { RequestListener } from 'node:http';
import { RegisterApi, TestCall } from '@zeq/contracts';
import {
  buildLogger,
  ProblemError,
  parseInput,
  problemHandler,
  requestId,
  strictJson,
} from '@zeq/service-kit';
import express from 'express';

/** What vault and forwarder do with a body before any work: the strict reader, then the schema. No API is known. */
export const judge: RequestListener = build();

function build(): RequestListener {
  const app = express();
  app.use(requestId(), strictJson({ maxBytes: 1024 * 1024 }));
  app.post('/api/zeq/apis/:slug', (req, res) => {
    parseInput(RegisterApi, req.body);
    res.status(201).json({});
  });
  app.post('/api/zeq/apis/:slug/:id/test', (req, res) => {
    parseInput(TestCall, req.body);
    res.json({});
  });
  app.get('/api/zeq/apis/:slug', (_req, res) => void res.json([]));
  app.use(() => {
    throw new ProblemError('not_found', 'There is no such API.');
  });
  app.use(problemHandler(buildLogger('judge', 'silent')));
  return app;
}
