import { z } from 'zod';
import type { Audience } from './access.ts';
import {
  ApiList,
  ApiView,
  MintedToken,
  MintToken,
  PatchApi,
  RegisterApi,
  TestCall,
  TestResult,
  TokenList,
  TryApi,
} from './apis.ts';
import { CLOCK_ROUTES } from './clock-routes.ts';
import { HITE_ROUTES } from './hite-routes.ts';
import type { ServiceName } from './internal.ts';
import {
  CreatedMachine,
  CreateMachine,
  KeyList,
  MachineList,
  MintedKey,
  MintKey,
  SessionGrant,
  SessionInfo,
} from './machines.ts';
import { OPERATOR_ROUTES } from './operator-routes.ts';
import { RotationStatus, SaltRotation } from './rotation.ts';
import { USAGE_ROUTES } from './usage-routes.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ANY';

/**
 * One public route of the mesh. The table below is the single list: the gateway routes and authorizes by it, the OpenAPI
 * document is made from it, and the tests of access and of egress walk it.
 */
export interface RouteSpec {
  method: Method;
  /** With `:name` parameters; a trailing `*` stands for the rest of the path. */
  path: string;
  /** The service that answers. */
  service: ServiceName;
  audience: Audience;
  summary: string;
  tag: string;
  body?: z.ZodType;
  /** The media type of a body that is not JSON. */
  bodyType?: string;
  query?: z.ZodType;
  /** Headers of its own, all required. */
  headers?: z.ZodObject;
  /** Status of success and its body. */
  success: { status: number; body?: z.ZodType; type?: string };
  /** It ends in a socket to an upstream, so it has to pass decision, limits and guard. */
  reachesUpstream?: true;
}

const Health = z
  .object({ status: z.literal('ok'), service: z.string(), version: z.string(), uptime: z.number() })
  .loose();
/** Where a list of an array follows on another page, `Link: <…>; rel="next"` says where; its default limit is 1000. */
export const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  after: z.string().max(64).optional(),
});

const page = { method: 'GET', service: 'gateway', audience: 'public', tag: 'page' } as const;
const PAGE_ROUTES: readonly RouteSpec[] = [
  { ...page, path: '/apps/zeq-byok', summary: 'To the page', success: { status: 308 } },
  { ...page, path: '/apps/zeq-byok/', summary: 'The page', success: { status: 200, type: 'text/html' } },
  {
    ...page,
    path: '/apps/zeq-byok/assets/:asset',
    summary: 'Its scripts, styles and images; a name stands for one content, for ever',
    success: { status: 200, type: 'application/octet-stream' },
  },
];

export const ROUTES: readonly RouteSpec[] = [
  // the gateway itself
  {
    method: 'GET',
    path: '/health',
    service: 'gateway',
    audience: 'public',
    tag: 'health',
    summary: 'Is the gateway alive?',
    success: { status: 200, body: Health },
  },
  {
    method: 'GET',
    path: '/ready',
    service: 'gateway',
    audience: 'public',
    tag: 'health',
    summary: 'Can the gateway serve?',
    success: { status: 200 },
  },
  {
    method: 'GET',
    path: '/metrics',
    service: 'gateway',
    audience: 'operator',
    tag: 'health',
    summary: 'Prometheus metrics',
    success: { status: 200, type: 'text/plain' },
  },
  {
    method: 'GET',
    path: '/api-docs',
    service: 'gateway',
    audience: 'public',
    tag: 'docs',
    summary: 'Swagger UI',
    success: { status: 200, type: 'text/html' },
  },
  {
    method: 'GET',
    path: '/api-docs/openapi.json',
    service: 'gateway',
    audience: 'public',
    tag: 'docs',
    summary: 'This document',
    success: { status: 200 },
  },
  {
    method: 'GET',
    path: '/api-docs/:asset',
    service: 'gateway',
    audience: 'public',
    tag: 'docs',
    summary: 'Script and style of Swagger UI',
    success: { status: 200, type: 'application/octet-stream' },
  },
  {
    method: 'GET',
    path: '/api/v1/status',
    service: 'gateway',
    audience: 'platform',
    tag: 'platform',
    summary: 'Versions and figures of the mesh',
    success: { status: 200 },
  },
  {
    method: 'POST',
    path: '/api/zeq/session',
    service: 'gateway',
    audience: 'bearer',
    tag: 'identity',
    summary: 'Exchange a machine key for a 15 minute session token',
    success: { status: 200, body: SessionGrant },
  },
  {
    method: 'GET',
    path: '/api/zeq/session',
    service: 'gateway',
    audience: 'bearer',
    tag: 'identity',
    summary: 'Whose session is this, and how long does it live?',
    success: { status: 200, body: SessionInfo },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/session',
    service: 'gateway',
    audience: 'bearer',
    tag: 'identity',
    summary: 'Sign out: the session and all its renewals end at once',
    success: { status: 204 },
  },
  {
    method: 'POST',
    path: '/api/zeq/session/cookie',
    service: 'gateway',
    audience: 'bearer',
    tag: 'identity',
    summary: 'The same exchange for the page: the session travels in an HttpOnly cookie; also renews it',
    success: { status: 200, body: SessionInfo },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/session/cookie',
    service: 'gateway',
    audience: 'public',
    tag: 'identity',
    summary: "Sign out of the page: ends the cookie's session and drops the cookie",
    success: { status: 204 },
  },

  // the page
  ...PAGE_ROUTES,

  // machines and their keys
  {
    method: 'POST',
    path: '/api/zeq/machines',
    service: 'byok-vault',
    audience: 'platform',
    tag: 'identity',
    summary: 'Create a machine; its first key is shown once',
    body: CreateMachine,
    success: { status: 201, body: CreatedMachine },
  },
  {
    method: 'GET',
    path: '/api/zeq/machines/:slug/keys',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'identity',
    summary: 'List machine keys (prefix only)',
    query: Page,
    success: { status: 200, body: KeyList },
  },
  {
    method: 'POST',
    path: '/api/zeq/machines/:slug/keys',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'identity',
    summary: 'Mint a machine key; it is shown once',
    body: MintKey,
    success: { status: 201, body: MintedKey },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/machines/:slug/keys/:keyId',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'identity',
    summary: 'Revoke a machine key',
    success: { status: 204 },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/machines/:slug',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'identity',
    summary: 'Remove the machine with everything it holds',
    success: { status: 204 },
  },
  {
    method: 'GET',
    path: '/api/zeq/admin/machines',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: 'List machines',
    query: Page,
    success: { status: 200, body: MachineList },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/admin/machines/:name',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: 'Remove a machine',
    success: { status: 204 },
  },
  {
    method: 'POST',
    path: '/api/zeq/admin/platform/keys',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: "Mint a key of the platform's own machine",
    body: MintKey,
    success: { status: 201, body: MintedKey },
  },
  {
    method: 'POST',
    path: '/api/zeq/admin/machines/:name/rotate-salt',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: 'Give a machine a new salt and encrypt its credentials under it',
    success: { status: 200, body: SaltRotation },
  },
  {
    method: 'POST',
    path: '/api/zeq/admin/rotate-field-key',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: 'Begin to move every credential from ZEQ_FIELD_KEY_PREV to ZEQ_FIELD_KEY',
    success: { status: 202, body: RotationStatus },
  },
  {
    method: 'GET',
    path: '/api/zeq/admin/rotate-field-key',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: 'How far the rotation is: rows left, rate, done',
    success: { status: 200, body: RotationStatus },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/admin/rotate-field-key',
    service: 'byok-vault',
    audience: 'operator',
    tag: 'admin',
    summary: 'Cancel the rotation; what was moved stays moved',
    success: { status: 200, body: RotationStatus },
  },
  {
    method: 'GET',
    path: '/api/zeq/admin/health',
    service: 'gateway',
    audience: 'operator',
    tag: 'admin',
    summary: 'Health of every service',
    success: { status: 200 },
  },

  // registered APIs
  {
    method: 'GET',
    path: '/api/zeq/apis/:slug',
    service: 'byok-vault',
    audience: 'reader',
    tag: 'apis',
    summary: 'List registered APIs; never their credentials',
    query: Page,
    success: { status: 200, body: ApiList },
  },
  {
    method: 'POST',
    path: '/api/zeq/apis/:slug',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'apis',
    summary: 'Register an API and its credential',
    body: RegisterApi,
    success: { status: 201, body: ApiView },
  },
  {
    method: 'GET',
    path: '/api/zeq/apis/:slug/:id',
    service: 'byok-vault',
    audience: 'reader',
    tag: 'apis',
    summary: 'Show one registered API',
    success: { status: 200, body: ApiView },
  },
  {
    method: 'PATCH',
    path: '/api/zeq/apis/:slug/:id',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'apis',
    summary: 'Change it; another origin drops the credential unless it is given again',
    body: PatchApi,
    success: { status: 200, body: ApiView },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/apis/:slug/:id',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'apis',
    summary: 'Remove it, ciphertext and all',
    success: { status: 204 },
  },
  {
    method: 'POST',
    path: '/api/zeq/apis/:slug/test',
    service: 'forwarder',
    audience: 'owner',
    tag: 'apis',
    summary: 'One call through a registration that is not saved; says which step failed',
    body: TryApi,
    success: { status: 200, body: TestResult },
    reachesUpstream: true,
  },
  {
    method: 'POST',
    path: '/api/zeq/apis/:slug/:id/test',
    service: 'forwarder',
    audience: 'owner',
    tag: 'apis',
    summary: 'One call through the stored credential; says which step failed',
    body: TestCall,
    success: { status: 200, body: TestResult },
    reachesUpstream: true,
  },
  {
    method: 'ANY',
    path: '/api/zeq/apis/:slug/:id/forward/*',
    service: 'forwarder',
    audience: 'forward',
    tag: 'forward',
    summary: 'The call itself, streamed both ways; WebSocket upgrades too',
    success: { status: 200 },
    reachesUpstream: true,
  },
  {
    method: 'GET',
    path: '/api/zeq/apis/:slug/:id/tokens',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'tokens',
    summary: 'List app tokens (prefix only)',
    query: Page,
    success: { status: 200, body: TokenList },
  },
  {
    method: 'POST',
    path: '/api/zeq/apis/:slug/:id/tokens',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'tokens',
    summary: 'Mint an app token; it is shown once',
    body: MintToken,
    success: { status: 201, body: MintedToken },
  },
  {
    method: 'DELETE',
    path: '/api/zeq/apis/:slug/:id/tokens/:tokenId',
    service: 'byok-vault',
    audience: 'owner',
    tag: 'tokens',
    summary: 'Revoke an app token',
    success: { status: 204 },
  },

  // how much it was used, and by whom
  ...USAGE_ROUTES,

  // operators and the seven steps
  ...OPERATOR_ROUTES,

  // the clock and its messages
  ...CLOCK_ROUTES,

  // the encrypted channel
  ...HITE_ROUTES,
];
