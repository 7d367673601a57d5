import { ROUTES, type RouteSpec } from '@zeq/contracts';
import { createClient } from '../src/index.ts';
import { fakeMesh } from './kit/fake-mesh.ts';

/** Routes for people, browsers and scrapers, or that a transport uses by itself. */
const NOT_FOR_CLIENTS = [
  /^GET \/apps\//,
  /^GET \/api-docs/,
  /^GET \/metrics$/,
  /^GET \/ws$/,
  /^GET \/api\/tesc\/channels\/:id\/ws$/,
  /session\/cookie$/,
  /^POST \/api\/hite\//,
];

/** Calls every method there is, whatever comes back. @returns What arrived. */
async function callEverything(): Promise<string[]> {
  const mesh = fakeMesh({});
  const keys = { key: 'zsm_x', platformKey: 'p', adminKey: 'a' };
  const client = createClient({ url: 'http://mesh.example', ...keys, slug: 'alice', fetch: mesh.fetch });
  for (const method of methodsOf({ ...client, tesc: { ...client.tesc, open: undefined } })) {
    const made: unknown = method('x', 'x', 'x');
    const waited = isStream(made) ? made.next() : made;
    await Promise.resolve(waited).catch(() => undefined); // every answer is 404
  }
  await client.call('x', '/');
  return mesh.arrivals.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
}

type AnyMethod = (...args: unknown[]) => unknown;

/** Objects have resources or methods; the functions at the top are called by name. */
const methodsOf = (value: object): AnyMethod[] =>
  Object.values(value).flatMap((member) =>
    typeof member === 'object'
      ? Object.values(member).flatMap((one) =>
          typeof one === 'function' ? [one as AnyMethod] : one ? methodsOf({ one }) : [],
        )
      : [],
  );

const isStream = (value: unknown): value is AsyncGenerator =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

const matches = ({ method, path }: RouteSpec, arrival: string): boolean => {
  const pattern = path.replace(/:[A-Za-z]+/g, '[^/]+').replace(/\*$/, '.*');
  return new RegExp(`^${method === 'ANY' ? '[A-Z]+' : method} ${pattern}$`).test(arrival);
};

describe('the client', () => {
  it('has a method for every public route that a client may use', async () => {
    const arrivals = await callEverything();
    const wanted = ROUTES.filter(
      ({ method, path }) => !NOT_FOR_CLIENTS.some((pattern) => pattern.test(`${method} ${path}`)),
    );

    const missing = wanted.filter((route) => !arrivals.some((arrival) => matches(route, arrival)));

    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it('calls nothing that is no route', async () => {
    const arrivals = await callEverything();

    expect(arrivals.filter((arrival) => !ROUTES.some((route) => matches(route, arrival)))).toEqual([]);
  });
});
