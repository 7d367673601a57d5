import type { OperatorQuery } from '@zeq/contracts';
import type { Operator } from './operator.ts';

export interface Page {
  total: number;
  pages: number;
  operators: Operator[];
}

/**
 * One page of the catalogue. Words are looked for in the public fields alone: a search in equations would tell the public what
 * they contain.
 */
export function browse(
  operators: readonly Operator[],
  { q, category, tier, page, limit }: OperatorQuery,
): Page {
  const filtered = operators.filter(
    ({ record }) =>
      (category === undefined || record.category === category) &&
      (tier === undefined || record.tier === tier),
  );
  const found = q === undefined ? filtered : byRelevance(filtered, q);
  return {
    total: found.length,
    pages: Math.ceil(found.length / limit),
    operators: found.slice((page - 1) * limit, page * limit),
  };
}

const MAX_WORDS = 8;

/** Every word has to occur; among equals the catalogue's order stays. */
function byRelevance(operators: readonly Operator[], q: string): Operator[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
  const scored = operators.map((operator) => ({ operator, score: scoreOf(operator, words) }));
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ operator }) => operator);
}

/** 0 as soon as one word occurs nowhere. */
function scoreOf({ record }: Operator, words: readonly string[]): number {
  const id = record.id.toLowerCase();
  const name = record.name.toLowerCase();
  const text = `${record.description} ${record.category}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const score = wordScore(word, id, name, text);
    if (score === 0) return 0;
    sum += score;
  }
  return sum;
}

function wordScore(word: string, id: string, name: string, text: string): number {
  if (id === word) return 100;
  if (id.startsWith(word)) return 10;
  if (name.includes(word)) return 5;
  if (id.includes(word)) return 3;
  return text.includes(word) ? 1 : 0;
}
