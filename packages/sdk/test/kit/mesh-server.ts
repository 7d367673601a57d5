import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

/** Serves a `fetch` function over HTTP, so that a process or a browser can call it. */
export async function serve(answer: typeof fetch): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((req, res) => void pass(answer, req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

async function pass(answer: typeof fetch, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const headers = Object.entries(req.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const response = await answer(`http://mesh.example${req.url}`, {
    method: req.method ?? 'GET',
    headers,
    ...(body.length > 0 && { body }),
  });
  res.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) res.end();
  else Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]).pipe(res);
}
