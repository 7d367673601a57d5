/**
 * Every error code of the mesh, with its HTTP status and title (RFC 9457). Codes and statuses are stable, texts are not:
 * callers and tests match codes.
 */
export const PROBLEMS = {
  // the request itself
  bad_request: { status: 400, title: 'Bad request' },
  invalid_body: { status: 400, title: 'The body does not match the schema' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_query: { status: 400, title: 'A query parameter does not match the schema' },
  invalid_path: { status: 400, title: 'The path cannot be forwarded' },
  invalid_header: { status: 400, title: 'A header cannot be accepted' },
  ambiguous_credentials: { status: 400, title: 'More than one token was sent' },
  base_url_refused: { status: 422, title: 'This base URL cannot be registered' },
  auth_header_refused: { status: 422, title: 'This credential cannot be registered' },
  request_timeout: { status: 408, title: 'The request took too long' },
  misdirected: { status: 421, title: 'This host is not served here' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  uri_too_long: { status: 414, title: 'The request target is too long' },
  headers_too_large: { status: 431, title: 'The header section is too large' },
  expectation_failed: { status: 417, title: 'The expectation cannot be met' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  not_implemented: { status: 501, title: 'Not implemented' },
  // who is calling
  unauthorized: { status: 401, title: 'Authentication is required' },
  token_expired: { status: 401, title: 'The token has expired' },
  forbidden: { status: 403, title: 'This caller may not do that' },
  out_of_scope: { status: 403, title: 'The token does not cover this call' },
  csrf_refused: { status: 403, title: 'The request did not come from the page' },
  origin_refused: { status: 403, title: 'This origin is not allowed' },
  plaintext_refused: { status: 403, title: 'Use https' },
  not_found: { status: 404, title: 'Not found' },
  // conflicts
  slug_taken: { status: 409, title: 'The slug is taken' },
  name_taken: { status: 409, title: 'The name is taken' },
  credential_missing: { status: 409, title: 'The API has no credential' },
  credential_unreadable: { status: 409, title: 'The stored credential needs a new header' },
  rotation_running: { status: 409, title: 'A rotation is running' },
  rotation_not_possible: { status: 409, title: 'There is nothing to rotate' },
  conflict: { status: 409, title: 'The request conflicts with the current state' },
  // limits
  rate_limited: { status: 429, title: 'Too many requests' },
  concurrency_limited: { status: 429, title: 'Too many calls at once' },
  key_exhausted: { status: 503, title: 'The tenant key has been used too often' },
  circuit_open: { status: 503, title: 'The upstream is failing; calls are held back' },
  overloaded: { status: 503, title: 'The mesh is at its limit' },
  // upstream and mesh
  egress_refused: { status: 502, title: 'The egress guard refused this target' },
  dns_failed: { status: 502, title: 'The upstream name could not be resolved' },
  dns_timeout: { status: 504, title: 'The upstream name was not resolved in time' },
  connect_failed: { status: 502, title: 'The upstream could not be reached' },
  connect_timeout: { status: 504, title: 'The upstream did not accept the connection in time' },
  tls_failed: { status: 502, title: 'The TLS handshake with the upstream failed' },
  upstream_invalid: { status: 502, title: 'The upstream sent an invalid answer' },
  upstream_reset: { status: 502, title: 'The upstream broke the connection' },
  upstream_timeout: { status: 504, title: 'The upstream did not answer in time' },
  loop_detected: { status: 508, title: 'The call came back to the mesh' },
  vault_unavailable: { status: 503, title: 'The vault cannot be reached' },
  database_unavailable: { status: 503, title: 'The database cannot be reached' },
  service_unavailable: { status: 503, title: 'The service cannot be reached' },
  shutting_down: { status: 503, title: 'The service is stopping' },
  feature_disabled: { status: 503, title: 'This feature is switched off' },
  internal: { status: 500, title: 'Internal error' },
  // operators (design section 10)
  operator_not_found: { status: 404, title: 'No such operator' },
  operator_exists: { status: 409, title: 'The operator id is taken' },
  invalid_operator: { status: 400, title: 'The operator record is not valid' },
  invalid_parameter: { status: 400, title: 'A parameter is missing or not valid' },
  too_many_operators: { status: 400, title: 'Too many operators' },
  dimension_mismatch: { status: 400, title: 'The dimensions do not fit' },
  non_finite_result: { status: 400, title: 'The result is not a finite number' },
  computation_too_large: { status: 400, title: 'The computation is too large' },
  ko42_excluded: { status: 403, title: 'KO42 cannot be excluded' },
  step_failed: { status: 412, title: 'A protocol step failed' },
  not_computable: { status: 422, title: 'The operator is not computable' },
  // clock, TESC, HITE (design sections 8 and 9)
  zeqond_window_closed: { status: 409, title: 'zeqond window closed' },
  plat_invalid: { status: 401, title: 'The PLAT does not verify' },
  plat_replayed: { status: 409, title: 'The PLAT has been seen before' },
  tesc_disabled: { status: 503, title: 'TESC is switched off' },
  hite_disabled: { status: 503, title: 'The HITE channel is switched off' },
  hite_unavailable: { status: 503, title: 'The HITE channel cannot be used now' },
  hite_session_unknown: { status: 401, title: 'The HITE session is unknown or over' },
  hite_frame_refused: { status: 400, title: 'The HITE frame does not open' },
  hite_replayed: { status: 409, title: 'The HITE counter has been seen before' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The `type` member of a problem document. */
export const problemType = (code: ProblemCode): string => `https://zeqsdk.com/problems/${code}`;

/** An error answer of the mesh, `application/problem+json` (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  request_id: string;
}

/** Builds the problem document; `detail` is written for the caller and repeats no value they sent. */
export function toProblemDocument(code: ProblemCode, detail: string, requestId: string): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: problemType(code), title, status, code, detail, request_id: requestId };
}
