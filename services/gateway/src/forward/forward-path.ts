const PREFIX = '/api/zeq/apis/';
const FORWARD = /^\/api\/zeq\/apis\/([a-z0-9-]{1,64})\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})\/forward(?=[/?]|$)/;

/** The route's pattern, as ROUTES has it. */
export const FORWARD_ROUTE = '/api/zeq/apis/:slug/:id/forward/*';

/** Whether a target is a forwarded call, looked at as text: it is neither decoded nor parsed. @returns The slug, or undefined. */
export function forwardSlug(target: string): string | undefined {
  return target.startsWith(PREFIX) ? FORWARD.exec(target)?.[1] : undefined;
}
