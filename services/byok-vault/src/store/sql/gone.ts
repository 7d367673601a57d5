import { isOrphan } from '../../db/errors.ts';
import { notFound } from '../../not-found.ts';

/** For a row whose owner was removed while it was being written. */
export function gone(err: unknown): never {
  throw isOrphan(err) ? notFound(err) : err;
}
