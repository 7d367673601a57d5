import { Page } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import { notFound } from '../not-found.ts';
import type { PageRequest } from '../store/store.ts';
import type { Call } from './route-table.ts';

const DEFAULT_LIMIT = 1000;
/** Ids and names; nothing else can be stored, so nothing else is looked for. */
const REF = /^[A-Za-z0-9._-]{1,64}$/;

/** A parameter of the path. @throws ProblemError `not_found` for what could not be the id or name of anything. */
export function refOf({ params }: Call, name: string): string {
  const value = params[name] ?? '';
  if (!REF.test(value)) throw notFound();
  return value;
}

export function pageOf({ query }: Call): PageRequest {
  const { limit = DEFAULT_LIMIT, after } = parseInput(Page, query, 'invalid_query');
  return { limit, after };
}
