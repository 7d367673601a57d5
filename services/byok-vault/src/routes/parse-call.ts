import { Page } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { isRef } from '../apis/refs.ts';
import type { PageRequest } from '../store/store.ts';
import type { Call } from './route-table.ts';

const DEFAULT_LIMIT = 1000;

/** A parameter of the path. @throws ProblemError `not_found` for what could not be the id or name of anything. */
export function refOf({ params }: Call, name: string): string {
  const value = params[name] ?? '';
  if (!isRef(value)) throw notFound();
  return value;
}

export function pageOf({ query }: Call): PageRequest {
  const { limit = DEFAULT_LIMIT, after } = parseInput(Page, query, 'invalid_query');
  return { limit, after };
}
