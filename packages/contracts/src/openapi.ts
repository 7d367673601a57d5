import { z } from 'zod';
import type { Audience } from './access.ts';
import { hoistDefs } from './openapi-defs.ts';
import { PROBLEMS } from './problems.ts';
import { ROUTES, type RouteSpec } from './routes.ts';

type Json = { [key: string]: unknown };

export interface OpenApiOptions {
  version: string;
  routes?: readonly RouteSpec[];
}

const DIALECT = 'https://spec.openapis.org/oas/3.1/dialect/base';
const METHODS_OF_ANY = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
const PROBLEM_REF = { $ref: '#/components/responses/Problem' };

/** The OpenAPI 3.1 document of the mesh: made from the table of routes and the very schemas that validate. */
export function openApiDocument({ version, routes = ROUTES }: OpenApiOptions): Json {
  const { document: paths, schemas } = hoistDefs(pathsOf(routes));
  return {
    openapi: '3.1.1',
    jsonSchemaDialect: DIALECT,
    info: {
      title: 'Zeq mesh',
      version,
      summary:
        'Register a provider key once, call the provider through the mesh, and never see the key again',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: { Problem: PROBLEM, ...schemas },
      responses: {
        Problem: {
          description: 'An error of the mesh (RFC 9457); X-Zeq-Error repeats its code',
          headers: { 'X-Zeq-Error': { schema: { type: 'string' } } },
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

const SECURITY_SCHEMES = {
  platformKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'One of ZEQ_API_KEYS' },
  operatorKey: { type: 'apiKey', in: 'header', name: 'X-Admin-Key', description: 'One of ZEQ_ADMIN_KEYS' },
  machine: {
    type: 'http',
    scheme: 'bearer',
    description: 'A machine key (zsm_…), an app token (zat_…), or a session from POST /api/zeq/session',
  },
};

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    detail: { type: 'string' },
    request_id: { type: 'string' },
  },
};

/** What a caller has to show; an empty requirement beside it makes it optional. */
const SECURITY: Record<Audience, Json[]> = {
  public: [],
  optional: [{}, { machine: [] }],
  platform: [{ platformKey: [] }],
  operator: [{ operatorKey: [] }],
  owner: [{ machine: [] }],
  reader: [{ machine: [] }],
  forward: [{ machine: [] }],
  bearer: [{ machine: [] }],
};

function pathsOf(routes: readonly RouteSpec[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = templateOf(route.path);
    paths[path] ??= {};
    const methods = route.method === 'ANY' ? METHODS_OF_ANY : [route.method.toLowerCase()];
    for (const method of methods) paths[path][method] = operationOf(route, method);
  }
  return paths;
}

/** `:name` as `{name}`, and the rest of a path as `{rest}`. */
const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{rest}');

function operationOf(route: RouteSpec, method: string): Json {
  const { summary, tag, audience } = route;
  return {
    operationId: operationId(route, method),
    summary,
    tags: [tag],
    security: SECURITY[audience],
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...requestBodyOf(route),
    responses: responsesOf(route),
  };
}

/** JSON by its schema, other types as bytes. */
function requestBodyOf({ body, bodyType }: RouteSpec): Json {
  if (bodyType !== undefined) return { requestBody: { required: true, content: { [bodyType]: {} } } };
  if (body === undefined) return {};
  const content = { 'application/json': { schema: schemaOf(body, 'input') } };
  return { requestBody: { required: true, content } };
}

function operationId({ path }: RouteSpec, method: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  if (path.endsWith('/')) words.push('index');
  return [method, ...words]
    .map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join('');
}

function pathParameters({ path }: RouteSpec): Json[] {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
  if (path.endsWith('*')) names.push('rest');
  return names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
    ...(name === 'rest' && { description: 'The path at the upstream; it may hold slashes' }),
  }));
}

function queryParameters({ query }: RouteSpec): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function headerParameters({ headers }: RouteSpec): Json[] {
  if (headers === undefined) return [];
  const { properties = {} } = schemaOf(headers, 'input') as { properties?: Record<string, unknown> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'header', required: true, schema }));
}

function responsesOf({ success, method }: RouteSpec): Json {
  const { status, body, type = 'application/json' } = success;
  const schema = body === undefined ? {} : schemaOf(body, 'output');
  const answer = {
    description: method === 'ANY' ? "The upstream's answer, whatever its status" : 'Success',
    ...(status !== 204 && status !== 101 && method !== 'ANY' && { content: { [type]: { schema } } }),
  };
  return { [String(status)]: answer, default: PROBLEM_REF };
}

/** A zod schema as JSON Schema; what JSON Schema cannot say (refinements) is left to the validator. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
  });
  return rest;
}
