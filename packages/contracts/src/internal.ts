import { z } from 'zod';
import { AuthShape, DraftApi, Policy } from './apis.ts';
import { idOf, Moment, Slug } from './ids.ts';
import { KeyScope } from './machines.ts';

/** The services, by the name that stands in `iss` and `aud` of a service token. */
export const ServiceName = z.enum([
  'gateway',
  'byok-vault',
  'forwarder',
  'operator-engine',
  'sync-engine',
  'zeqond-daemon',
]);
export type ServiceName = z.infer<typeof ServiceName>;

/** The header in which a service token travels. Every `x-zeq-*` header that a client sends is dropped by the gateway. */
export const SERVICE_TOKEN_HEADER = 'x-zeq-service';

/** Who is calling, as the gateway found out and every service behind it believes. */
export const Caller = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('anonymous') }),
  z.object({ kind: z.literal('platform') }),
  z.object({ kind: z.literal('operator') }),
  z.object({
    kind: z.literal('owner'),
    machine_id: idOf('mch'),
    slug: Slug,
    key_id: idOf('key'),
    scope: KeyScope,
  }),
  z.object({
    kind: z.literal('app'),
    machine_id: idOf('mch'),
    slug: Slug,
    token_id: idOf('tok'),
    api_ids: z.array(idOf('api')),
    allowed_methods: z.array(z.string()).nullable(),
    allowed_path_prefixes: z.array(z.string()).nullable(),
    rate_limit_per_min: z.int().nullable(),
  }),
]);
export type Caller = z.infer<typeof Caller>;
export type OwnerCaller = Extract<Caller, { kind: 'owner' }>;
export type AppCaller = Extract<Caller, { kind: 'app' }>;

/** What a service token says. 60 s at most, HS256, from ZEQ_INTERNAL_SECRET. */
export const ServiceClaims = z.object({
  iss: ServiceName,
  aud: ServiceName,
  iat: z.int(),
  exp: z.int(),
  caller: Caller,
  /** The forwarder's X25519 public key, base64url of 32 bytes: leases are sealed to it and to no other. */
  lease_key: z.string().length(43).optional(),
});
export type ServiceClaims = z.infer<typeof ServiceClaims>;

/** `POST /internal/identify`: the gateway (or the operator-engine, which may be called directly) sends the SHA-256 of a token (hex), or the id of a session's key. */
export const IdentifyRequest = z.union([
  z.strictObject({ token_sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ key_id: idOf('key') }),
]);
export type IdentifyRequest = z.infer<typeof IdentifyRequest>;

/** 200 with the caller, or 404. An expired token is told apart so that its owner learns why. */
export const IdentifyAnswer = z.object({
  caller: z.union([Caller.options[3], Caller.options[4]]),
  expires_at: Moment.nullable(),
  expired: z.boolean(),
});
export type IdentifyAnswer = z.infer<typeof IdentifyAnswer>;

/** `POST /internal/drafts`: a lease on something that is not registered, for one test; nothing is stored. */
export const DraftRequest = z.strictObject({ machine_id: idOf('mch'), api: DraftApi });
export type DraftRequest = z.infer<typeof DraftRequest>;

/** `POST /internal/leases`: by machine and by the API's id or name. */
export const LeaseRequest = z.strictObject({ machine_id: idOf('mch'), api: z.string().min(1).max(63) });
export type LeaseRequest = z.infer<typeof LeaseRequest>;

/**
 * `POST /internal/standing`: after a gap in the feed, a forwarder asks what of the ground of its open calls is gone: ids of APIs, keys
 * and app tokens. A key or token that has expired is gone too.
 */
export const StandingRequest = z.strictObject({ ids: z.array(z.string().max(63)).max(1000) });
export type StandingRequest = z.infer<typeof StandingRequest>;
export const StandingAnswer = z.object({ gone: z.array(z.string()) });
export type StandingAnswer = z.infer<typeof StandingAnswer>;

/** A credential sealed to one forwarder process: base64url of a fresh X25519 key, IV and ciphertext ‖ tag. */
export const SealedCredential = z.object({ ephemeral: z.string(), iv: z.string(), ciphertext: z.string() });
export type SealedCredential = z.infer<typeof SealedCredential>;

/** Everything the forwarder needs to call one API. `credential` opens to the bare header value or query value (for `basic`, the whole `Basic …` value), as the bytes that travel: decode them as latin1. */
export const Lease = z.object({
  api_id: idOf('api'),
  name: z.string(),
  machine_id: idOf('mch'),
  slug: Slug,
  base_url: z.string(),
  rate_limit_per_min: z.int(),
  extra_headers: z.record(z.string(), z.string()),
  policy: Policy,
  auth_state: z.enum(['ok', 'missing', 'needs_new_header']),
  auth_shape: AuthShape.nullable(),
  credential: SealedCredential.nullable(),
});
export type Lease = z.infer<typeof Lease>;

/**
 * What a lease's credential is for; its UTF-8 bytes are the associated data of the seal, so a credential opens only beside the
 * machine, API, address and shape that it was leased with.
 */
export const leaseContext = (
  lease: Pick<Lease, 'machine_id' | 'api_id' | 'base_url' | 'auth_shape'>,
): string =>
  JSON.stringify([
    'zeq-mesh/lease',
    lease.machine_id,
    lease.api_id,
    lease.base_url,
    lease.auth_shape?.type ?? null,
    lease.auth_shape !== null && 'name' in lease.auth_shape ? lease.auth_shape.name : null,
  ]);

/**
 * One line of `GET /internal/changes` (newline-delimited JSON). `hello` comes first: a reader whose epoch differs, or whose
 * last seq is older than what the log still holds, forgets everything it cached. `alive` comes every 500 ms.
 */
export const ChangeLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), epoch: z.string(), seq: z.int(), complete: z.boolean() }),
  z.object({ type: z.literal('alive'), seq: z.int() }),
  z.object({
    type: z.literal('change'),
    seq: z.int(),
    what: z.enum(['api_changed', 'api_removed', 'key_revoked', 'token_revoked', 'machine_removed']),
    machine_id: idOf('mch'),
    /** The api, key or token; for a machine its own id. */
    id: z.string(),
  }),
]);
export type ChangeLine = z.infer<typeof ChangeLine>;
export type Change = Extract<ChangeLine, { type: 'change' }>;

/** Without a live feed, nothing that was cached longer ago than this is believed (milliseconds). */
export const STALE_AFTER_MS = 5_000;
export const FEED_HEARTBEAT_MS = 500;

/** Which services may call which internal route of the vault. */
export const VAULT_ISSUERS = {
  identify: ['gateway', 'operator-engine'],
  leases: ['forwarder'],
  drafts: ['forwarder'],
  standing: ['forwarder'],
  usage: ['forwarder'],
  audit: ['sync-engine'],
  changes: ['gateway', 'forwarder', 'operator-engine', 'sync-engine'],
} as const satisfies Record<string, readonly ServiceName[]>;
