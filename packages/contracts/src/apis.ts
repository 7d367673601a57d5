import { z } from 'zod';
import { ApiName, idOf, Label, Moment } from './ids.ts';
import { ProviderId } from './providers.ts';

export const MAX_AUTH_HEADER_BYTES = 4096;

/** Where the credential travels. The short form of `header` is the seed's one line, `auth_header: "Name: value"`. */
export const Auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), name: z.string().min(1).max(256), value: z.string().min(1) }),
  z.strictObject({ type: z.literal('query'), name: z.string().min(1).max(256), value: z.string().min(1) }),
  z.strictObject({
    type: z.literal('basic'),
    username: z.string().max(1024),
    password: z.string().max(2048),
  }),
]);
export type Auth = z.infer<typeof Auth>;

/** What is known of a credential without opening it: the place it goes. `basic` travels as a header. */
export const AuthShape = z.discriminatedUnion('type', [
  z.object({ type: z.literal('header'), name: z.string() }),
  z.object({ type: z.literal('query'), name: z.string() }),
  z.object({ type: z.literal('basic') }),
]);
export type AuthShape = z.infer<typeof AuthShape>;

const MINUTE = 60_000;

/** Response headers that speak for the whole origin: the upstream's would act on the mesh's own. */
export const ORIGIN_WIDE_HEADERS = [
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'expect-ct',
  'clear-site-data',
  'nel',
  'report-to',
] as const;

const timeout = z
  .int()
  .min(100)
  .max(60 * MINUTE);
const DEFAULT_CIRCUIT_FAILURES = 10;
const policyFields = {
  concurrency: z.int().min(1).max(10_000).describe('calls in flight at once'),
  max_body_bytes: z.int().min(0).describe('largest request body, in bytes'),
  connect_timeout_ms: z.int().min(100).max(MINUTE).describe('until TCP and TLS stand'),
  first_byte_timeout_ms: timeout.describe('until the response head'),
  idle_timeout_ms: timeout.describe('silence inside a body, a stream or a socket'),
  circuit_failures: z
    .int()
    .min(0)
    .max(1_000)
    .describe('failed calls in a row that hold further ones back for a while; 0: never'),
  allowed_methods: z
    .array(z.string().regex(/^[A-Z]{1,20}$/))
    .max(20)
    .nullable()
    .describe('null: any'),
  allowed_path_prefixes: z
    .array(z.string().startsWith('/').max(2048))
    .max(50)
    .nullable()
    .describe('null: any'),
  allowed_response_headers: z
    .array(z.enum(ORIGIN_WIDE_HEADERS))
    .describe('origin-wide response headers that are dropped unless named here'),
};

/** Limits and permissions of one API; the defaults suit a slow model and an ordinary app. */
export const Policy = z.strictObject({
  ...policyFields,
  circuit_failures: policyFields.circuit_failures.default(DEFAULT_CIRCUIT_FAILURES), // rows written before it existed
});
export type Policy = z.infer<typeof Policy>;

export const DEFAULT_POLICY: Policy = {
  concurrency: 200,
  max_body_bytes: 8 * 2 ** 30,
  connect_timeout_ms: 10_000,
  first_byte_timeout_ms: 10 * MINUTE,
  idle_timeout_ms: 5 * MINUTE,
  circuit_failures: DEFAULT_CIRCUIT_FAILURES,
  allowed_methods: null,
  allowed_path_prefixes: null,
  allowed_response_headers: [],
};

/** What an owner sends: what is missing keeps its default, or on a PATCH its present value. */
export const PolicyPatch = z.strictObject(policyFields).partial();

const ExtraHeaders = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/),
    z
      .string()
      .max(4096)
      .regex(/^[\t\x20-\x7e\x80-\xff]*$/),
  )
  .refine((headers) => Object.keys(headers).length <= 32, 'at most 32 headers');

const editable = {
  base_url: z.string().min(1).max(2048),
  auth_header: z.string().min(1),
  auth: Auth,
  api_key: z
    .string()
    .min(1)
    .max(3500)
    .describe('with `provider`: the bare key, put into the header that the provider wants'),
  rate_limit_per_min: z.int().min(1).max(1_000_000),
  extra_headers: ExtraHeaders,
  policy: PolicyPatch,
  schema: z.json().describe('an OpenAPI document or any other description of the API, for people and tools'),
};

export const RegisterApi = z.strictObject({
  name: ApiName,
  provider: ProviderId.optional(),
  base_url: editable.base_url.optional(),
  auth_header: editable.auth_header.optional(),
  auth: editable.auth.optional(),
  api_key: editable.api_key.optional(),
  rate_limit_per_min: editable.rate_limit_per_min.default(60),
  extra_headers: editable.extra_headers.default({}),
  policy: editable.policy.default({}),
  schema: editable.schema.optional(),
});
export type RegisterApi = z.infer<typeof RegisterApi>;
/** The same as it is sent: what has a default may be missing. */
export type RegisterApiInput = z.input<typeof RegisterApi>;

export const PatchApi = z.strictObject({ name: ApiName, ...editable }).partial();
export type PatchApi = z.infer<typeof PatchApi>;

/** What anybody ever sees of a registered API. It has no field that could carry the credential. */
export const ApiView = z.object({
  id: idOf('api'),
  name: z.string(),
  provider: ProviderId.nullable(),
  base_url: z.string(),
  has_auth_header: z.boolean(),
  auth_hint: z
    .string()
    .nullable()
    .describe('at most the last 4 characters, and nothing of a secret shorter than 20'),
  auth_shape: AuthShape.nullable(),
  auth_state: z.enum(['ok', 'missing', 'needs_new_header']),
  warnings: z.array(z.string()),
  rate_limit_per_min: z.int(),
  extra_headers: z.record(z.string(), z.string()),
  policy: Policy,
  schema: z.json().nullable(),
  test_path: z.string().nullable(),
  created_at: Moment,
  updated_at: Moment,
});
export type ApiView = z.infer<typeof ApiView>;

export const ApiList = z.array(ApiView);

/** Methods that speak to the next hop, or give away what was sent (RFC 9110 section 9.3.6 and 9.3.8, RFC 9113 section 3.4). */
export const NEVER_FORWARDED: readonly string[] = ['TRACE', 'TRACK', 'CONNECT', 'PRI'];

export const TestCall = z.strictObject({
  path: z.string().max(8192).startsWith('/').default('/'),
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/)
    .refine((method) => !NEVER_FORWARDED.includes(method), 'is never forwarded')
    .default('GET'),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.union([z.string(), z.json()]).optional(),
});
export type TestCall = z.infer<typeof TestCall>;
export type TestCallInput = z.input<typeof TestCall>;

/** One call through an API that is not registered: nothing of it is stored. A name is not needed for that. */
export const DraftApi = RegisterApi.omit({ schema: true }).partial({ name: true });
export type DraftApi = z.infer<typeof DraftApi>;
export type DraftApiInput = z.input<typeof DraftApi>;
export const TryApi = z.strictObject({ api: DraftApi, ...TestCall.shape });
export type TryApi = z.infer<typeof TryApi>;

/** The steps of a call, in their order; `/test` names the one that failed. */
export const TestStep = z.enum([
  'decision',
  'name',
  'guard',
  'connect',
  'tls',
  'response',
  'authentication',
  'status',
]);
export type TestStep = z.infer<typeof TestStep>;

export const TestResult = z.object({
  ok: z.boolean(),
  status: z.int().nullable(),
  latency_ms: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  body_truncated: z.boolean(),
  failed_step: TestStep.nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
});
export type TestResult = z.infer<typeof TestResult>;

export const AppToken = z.object({
  id: idOf('tok'),
  name: z.string(),
  prefix: z.string(),
  api_ids: z.array(idOf('api')),
  allowed_methods: z.array(z.string()).nullable(),
  allowed_path_prefixes: z.array(z.string()).nullable(),
  rate_limit_per_min: z.int().nullable(),
  created_at: Moment,
  expires_at: Moment.nullable(),
});
export type AppToken = z.infer<typeof AppToken>;

export const MintToken = z.strictObject({
  name: Label.optional(),
  apis: z
    .array(z.string().min(1).max(63))
    .max(50)
    .optional()
    .describe('more APIs of this machine, by id or name; the one in the path is always covered'),
  expires_at: Moment.optional(),
  expires_in_seconds: z
    .int()
    .min(1)
    .max(10 * 365 * 86_400)
    .optional(),
  allowed_methods: z
    .array(z.string().regex(/^[A-Z]{1,20}$/))
    .min(1)
    .max(20)
    .optional(),
  allowed_path_prefixes: z.array(z.string().startsWith('/').max(2048)).min(1).max(50).optional(),
  rate_limit_per_min: z.int().min(1).max(1_000_000).optional(),
});
export type MintToken = z.infer<typeof MintToken>;

export const MintedToken = z.object({ token: z.string().startsWith('zat_'), app_token: AppToken });
export type MintedToken = z.infer<typeof MintedToken>;
export const TokenList = z.object({ tokens: z.array(AppToken) });
