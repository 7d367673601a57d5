// express with http-proxy-middleware: one hop that sets the header, over connections that stay open.
// Environment: ROADS, a JSON list of {from, to} ports; KEY, the key to set.
import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const agent = new Agent({ keepAlive: true });
const headers = { authorization: `Bearer ${process.env.KEY}` };

for (const { from, to } of JSON.parse(process.env.ROADS)) {
  const app = express();
  app.use(createProxyMiddleware({ target: `http://127.0.0.1:${to}`, changeOrigin: true, agent, headers }));
  app.listen(from, '127.0.0.1');
}
