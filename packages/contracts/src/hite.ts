import { z } from 'zod';
import { Moment } from './ids.ts';

/** The content type of a HITE frame, in requests and answers. */
export const HITE_CONTENT_TYPE = 'application/x-zeq-hite';
/** The header that names the session. */
export const HITE_SESSION_HEADER = 'x-hite-session';
/** The longest frame that a request may be (bytes): it is opened as a whole. In base64 a body of 6,000,000 bytes fits. */
export const HITE_MAX_REQUEST_BYTES = 8 * 1024 * 1024;

export const HiteSessionId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits');

const Nonce = z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 32 bytes as 64 hex digits');

/** `POST /api/hite/handshake`. */
export const HiteHandshakeRequest = z.strictObject({ clientNonce: Nonce });
export type HiteHandshakeRequest = z.infer<typeof HiteHandshakeRequest>;

/** What the server adds. Both sides then derive the same keys; none of these values is a secret. */
export const HiteHandshakeAnswer = z.object({
  sessionId: HiteSessionId,
  serverNonce: Nonce,
  expiresAt: Moment,
});
export type HiteHandshakeAnswer = z.infer<typeof HiteHandshakeAnswer>;

/** The inner request of a frame, as JSON. `body` is base64; a request without one has none. */
export const HiteInnerRequest = z.strictObject({
  method: z.string().regex(/^[A-Z]{3,16}$/, 'must be a method in capitals'),
  path: z.string().startsWith('/').max(8192),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.base64().optional(),
});
export type HiteInnerRequest = z.infer<typeof HiteInnerRequest>;

/** The head of an answer, as JSON in its first frame. Headers are pairs: some names come more than once. */
export const HiteInnerHead = z.object({
  status: z.int().min(100).max(599),
  headers: z.array(z.tuple([z.string(), z.string()])),
});
export type HiteInnerHead = z.infer<typeof HiteInnerHead>;
