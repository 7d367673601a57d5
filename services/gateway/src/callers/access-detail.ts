import type { ProblemCode } from '@zeq/contracts';
import { UNAUTHORIZED } from './authentication.ts';

/** One text for what does not exist and for what belongs to somebody else: nobody can tell one from the other. */
export const NOT_FOUND = 'There is nothing here, or it is not yours.';

/** The text of a refusal by `refuseAccess`. */
export function accessDetail(code: ProblemCode): string {
  if (code === 'not_found') return NOT_FOUND;
  if (code === 'unauthorized') return UNAUTHORIZED;
  return 'This credential does not cover this route.';
}
