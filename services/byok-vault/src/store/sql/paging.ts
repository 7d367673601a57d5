import { ProblemError } from '@zeq/service-kit';
import type { Page, PageRequest } from '../store.ts';

/** Where a page begins: after this moment and, within it, after this id. */
export interface Position {
  createdAt: Date;
  id: string;
}

/** @throws ProblemError `invalid_query` for an `after` that no page gave out. */
export function positionOf({ after }: PageRequest): Position {
  if (after === undefined) return { createdAt: new Date(0), id: '' };
  const match = /^([0-9]{1,15})-([0-9A-Za-z_]{1,40})$/.exec(after);
  if (match === null)
    throw new ProblemError('invalid_query', 'after: must be the `next` of an earlier page.');
  return { createdAt: new Date(Number(match[1])), id: match[2]! };
}

/** @param items One more than the limit, where there are that many: it shows that another page follows. */
export function toPage<T extends Position>(items: T[], limit: number): Page<T> {
  if (items.length <= limit) return { items, next: undefined };
  const kept = items.slice(0, limit);
  const last = kept.at(-1)!;
  return { items: kept, next: `${last.createdAt.getTime()}-${last.id}` };
}
