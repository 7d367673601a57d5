// The upstream of the streaming measurements. Each event states when it was written (CLOCK_MONOTONIC in nanoseconds, the same
// clock in every process of the machine). Usage: node sse-upstream.ts PORT
import { createServer, type ServerResponse } from 'node:http';
import { ANSWER_HEADERS, UPSTREAM_KEY } from './messages.ts';

const server = createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    if (req.headers.authorization !== `Bearer ${UPSTREAM_KEY}`) return res.writeHead(401).end();
    const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { max_tokens: number; seed: number };
    return stream(res, asked.max_tokens, asked.seed);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');

/** `count` events, one every `everyMs`. */
function stream(res: ServerResponse, count: number, everyMs: number): void {
  res.writeHead(200, { ...ANSWER_HEADERS, 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  res.flushHeaders();
  let sent = 0;
  const step = () => {
    res.write(event(sent++));
    if (sent < count) return;
    clearInterval(timer);
    res.end('data: [DONE]\n\n');
  };
  const timer = setInterval(step, everyMs);
  res.on('close', () => clearInterval(timer));
  step();
}

const event = (n: number) =>
  `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","t":"${process.hrtime.bigint()}","choices":[{"index":0,"delta":{"content":"token ${n} ${'x'.repeat(60)}"}}]}\n\n`;
