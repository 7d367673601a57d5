import { ProblemError } from '@zeq/service-kit';

/** One text for what does not exist and for what belongs to somebody else, so that nobody can tell them apart. */
export const notFound = (cause?: unknown): ProblemError =>
  new ProblemError('not_found', 'Nothing of yours is here under that name.', { cause });
