import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiDocument, ROUTES } from '../src/index.ts';

type Json = { [key: string]: unknown };

const document = openApiDocument({ version: '1.2.3' }) as {
  paths: Record<string, Record<string, Json & { responses: Json; security: Json[]; parameters: Json[] }>>;
} & Json;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
);

/** Names under which a credential could come back. `api_key` and `token` are shown once, by the routes that make one. */
const CREDENTIAL = new Set([
  'auth_header',
  'auth',
  'credential',
  'password',
  'username',
  'secret',
  'api_key',
  'token',
]);
const SHOWN_ONCE: Record<string, readonly string[]> = {
  'post /api/zeq/machines': ['api_key'],
  'post /api/zeq/machines/{slug}/keys': ['api_key'],
  'post /api/zeq/admin/platform/keys': ['api_key'],
  'post /api/zeq/apis/{slug}/{id}/tokens': ['token'],
  'post /api/zeq/session': ['token'],
  'post /api/tesc/channels': ['secret'],
  'post /api/tesc/channels/{id}/rotate': ['secret'],
};

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document));

    expect(result).toEqual({ valid: true });
  });

  it('has every route of the table, with its parameters and its credential', () => {
    for (const { method, path, audience } of ROUTES) {
      const template = path.replace(/:(\w+)/g, '{$1}').replace('*', '{rest}');
      const operation = document.paths[template]?.[method === 'ANY' ? 'post' : method.toLowerCase()];
      expect(
        operation?.parameters.filter(({ in: where }) => where === 'path').map(({ name }) => name),
      ).toEqual([...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      expect(operation?.security.length === 0).toBe(audience === 'public');
    }
  });

  it('names every operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);

    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes every error as a problem of the mesh', () => {
    for (const { operation } of operations)
      expect(operation.responses.default).toEqual({ $ref: '#/components/responses/Problem' });
  });

  it('has no field in any answer that could carry a credential, but for the tokens that are shown once', () => {
    const found = operations.flatMap(({ name, operation }) => {
      const allowed = SHOWN_ONCE[name] ?? [];
      const names = [...new Set(propertyNames(operation.responses))];
      return names
        .filter((field) => CREDENTIAL.has(field) && !allowed.includes(field))
        .map((field) => `${name}: ${field}`);
    });

    expect(found).toEqual([]);
  });
});

/** The names of all properties that a schema anywhere below speaks of. */
function propertyNames(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(propertyNames);
  if (typeof node !== 'object' || node === null) return [];
  const own = (node as { properties?: Json }).properties ?? {};
  return [...Object.keys(own), ...Object.values(node).flatMap(propertyNames)];
}
