import type { ParsedIntent } from '@zeq/contracts';

/** Asks a model for a reading of a text. @returns undefined when it gave none that holds. @throws ProblemError when it is away. */
export type ProposeIntent = (text: string) => Promise<ParsedIntent | undefined>;
