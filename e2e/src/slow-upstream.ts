// An upstream for calls that take their time, as a process of its own: node slow-upstream.ts PORT
//   /quick       answers at once
//   /slow/MS     answers after so many milliseconds, half as long or half as long again
//   /big/BYTES   answers with so many bytes
//   /late/MS     answers after exactly so many milliseconds
//   /never       does not answer
//   /drip        sends a byte a second
//   /connections answers how many connections there are
import { createServer } from 'node:http';

const PIECE = Buffer.alloc(64 * 1024, 'x');

const server = createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
  const [, kind, amount = '0'] = req.url!.split('/');
  if (kind === 'quick') res.end('{"quick":true}');
  else if (kind === 'slow')
    setTimeout(() => res.end('{"slow":true}'), Number(amount) * (0.5 + Math.random()));
  else if (kind === 'big') pour(res, Number(amount));
  else if (kind === 'late') setTimeout(() => res.end('{"late":true}'), Number(amount));
  else if (kind === 'drip') drip(res);
  else if (kind === 'connections') server.getConnections((_err, count) => res.end(String(count)));
  else if (kind === 'never') return;
  else res.writeHead(404).end();
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });

function pour(res: NodeJS.WritableStream & { destroyed?: boolean }, left: number): void {
  if (left <= 0) return void res.end();
  const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
  if (res.write(piece)) setImmediate(pour, res, left - piece.length);
  else res.once('drain', () => pour(res, left - piece.length));
}

function drip(res: NodeJS.WritableStream): void {
  const timer = setInterval(() => res.write('.'), 1_000);
  res.once('close', () => clearInterval(timer));
}
