/** Why nothing can be verified in this browser; null when it can. */
export function whyNotVerify(): string | null {
  return globalThis.isSecureContext && 'subtle' in crypto
    ? null
    : 'This page came over plain http from another machine, so the browser withholds its cryptography. Use https.';
}
