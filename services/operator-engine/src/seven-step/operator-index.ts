import { KO42 } from '../catalogue/catalogue.ts';
import type { Operator } from '../catalogue/operator.ts';
import { wordsOf } from './words.ts';

export interface Candidate {
  operator: Operator;
  score: number;
  /** Which share of what was asked it answers, by the rarity of the words. */
  coverage: number;
}

const WEIGHTS = { name: 4, id: 3, equation: 2, description: 1 } as const;
const DOMAIN_BONUS = 1.5;
const UNASKED_PENALTY = 1;
/** A word that no operator knows (a car, a cart) is rarely what was asked about. */
const UNKNOWN_SHARE = 0.2;

/** Words that point at a domain, and the categories it has here. */
const DOMAINS: readonly [words: readonly string[], categories: readonly string[]][] = [
  [
    ['orbit', 'orbital', 'planet', 'gravity', 'satellite'],
    ['astronomy', 'astrophysics', 'aerospace'],
  ],
  [
    ['wave', 'ocean', 'tide'],
    ['oceanography', 'waves'],
  ],
  [
    ['spring', 'mass', 'newton', 'force'],
    ['newtonian', 'kinematic'],
  ],
  [
    ['gene', 'dna', 'protein', 'allele'],
    ['genetics', 'biotech'],
  ],
  [
    ['material', 'steel', 'stress', 'strain'],
    ['material', 'engineering'],
  ],
];

/** Finds operators by the words of a question. The same words always give the same operators: nothing is left to chance. */
export class OperatorIndex {
  readonly #postings = new Map<string, Map<Operator, number>>();
  readonly #titles = new Map<Operator, readonly string[]>();
  readonly #order: ReadonlyMap<Operator, number>;

  constructor(operators: readonly Operator[]) {
    this.#order = new Map(operators.map((operator, i) => [operator, i]));
    for (const operator of operators) {
      const { name, id, equation, description } = operator.record;
      const title = new Set(wordsOf(name));
      this.#titles.set(operator, [...title]);
      const idWords = new Set(wordsOf(id.replace(/[_-]/g, ' ')).filter((word) => !title.has(word)));
      this.#add(operator, title, WEIGHTS.name);
      this.#add(operator, idWords, WEIGHTS.id);
      this.#add(operator, new Set(wordsOf(equation)), WEIGHTS.equation);
      this.#add(operator, new Set(wordsOf(description)), WEIGHTS.description);
    }
  }

  /** The best fits, best first; among equals the catalogue's order. KO42 is never one: it is in every computation. */
  find(text: string, limit: number): Candidate[] {
    const words = [...new Set(wordsOf(text))];
    const domains = new Set(
      DOMAINS.filter(([hints]) => hints.some((hint) => words.includes(hint))).flatMap(([, names]) => names),
    );
    const asked = words.reduce(
      (sum, word) => sum + this.#rarity(word) * (this.#postings.has(word) ? 1 : UNKNOWN_SHARE),
      0,
    );
    return [...this.#scores(words)]
      .filter(([{ id, computable }]) => computable !== undefined && id !== KO42)
      .map(([operator, { score, hit }]) => ({
        operator,
        score:
          score - this.#unasked(operator, words) + (domains.has(operator.record.category) ? DOMAIN_BONUS : 0),
        coverage: asked === 0 ? 0 : hit / asked,
      }))
      .sort((a, b) => b.score - a.score || this.#order.get(a.operator)! - this.#order.get(b.operator)!)
      .slice(0, limit);
  }

  #add(operator: Operator, words: ReadonlySet<string>, weight: number): void {
    for (const word of words) {
      const posting = this.#postings.get(word) ?? new Map<Operator, number>();
      posting.set(operator, (posting.get(operator) ?? 0) + weight);
      this.#postings.set(word, posting);
    }
  }

  /** What the title says and nobody asked for: "relativistic" kinetic energy is not the kinetic energy of a car. */
  #unasked(operator: Operator, words: readonly string[]): number {
    const unasked = this.#titles.get(operator)!.filter((word) => !words.includes(word));
    return unasked.reduce((sum, word) => sum + UNASKED_PENALTY * this.#rarity(word), 0);
  }

  /** A word that few operators have says more than one that many have. */
  #rarity(word: string): number {
    const holders = this.#postings.get(word)?.size ?? 0;
    return Math.log(1 + this.#order.size / Math.max(1, holders)) / Math.log(1 + this.#order.size);
  }

  #scores(words: readonly string[]): Map<Operator, { score: number; hit: number }> {
    const scores = new Map<Operator, { score: number; hit: number }>();
    for (const word of words) {
      const rarity = this.#rarity(word);
      for (const [operator, weight] of this.#postings.get(word) ?? []) {
        const { score, hit } = scores.get(operator) ?? { score: 0, hit: 0 };
        scores.set(operator, { score: score + weight * rarity, hit: hit + rarity });
      }
    }
    return scores;
  }
}
