import { notFound } from '../../apis/not-found.ts';
import { isOrphan } from '../../db/errors.ts';

/** For a row whose owner was removed while it was being written. */
export function gone(err: unknown): never {
  throw isOrphan(err) ? notFound(err) : err;
}
