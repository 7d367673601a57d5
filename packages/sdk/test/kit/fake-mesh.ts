/** What a test's mesh was sent. */
export interface Arrival {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

/** A `fetch` that answers from a table of `METHOD path` and remembers what came. */
export function fakeMesh(routes: Record<string, (arrival: Arrival) => Response | Promise<Response>>) {
  const arrivals: Arrival[] = [];
  const answer: typeof fetch = async (input, init = {}) => {
    const { pathname, search } = new URL(String(input));
    const body = init.body === undefined ? '' : await new Response(init.body).text();
    const method = init.method ?? 'GET';
    const arrival = { method, path: pathname + search, headers: new Headers(init.headers), body };
    arrivals.push(arrival);
    const route = routes[`${method} ${arrival.path}`];
    if (route === undefined) return problem(404, 'not_found', 'No such thing.');
    return route(arrival);
  };
  return { fetch: answer, arrivals };
}

export const json = (value: unknown, init: ResponseInit = {}): Response => Response.json(value, init);

export const problem = (
  status: number,
  code: string,
  detail: string,
  { headers = {}, members = {} }: { headers?: Record<string, string>; members?: object } = {},
): Response =>
  new Response(
    JSON.stringify({
      type: `https://zeqsdk.com/problems/${code}`,
      title: code,
      status,
      code,
      detail,
      request_id: 'req-1',
      ...members,
    }),
    {
      status,
      headers: { 'content-type': 'application/problem+json', 'x-zeq-error': code, ...headers },
    },
  );

/** Server-sent events, each a chunk of its own. */
export function events(messages: readonly object[]): Response {
  const chunks = messages.map((message) => `id: 1\ndata: ${JSON.stringify(message)}\n\n`);
  const body = ReadableStream.from(chunks.map((text) => new TextEncoder().encode(text)));
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
