import { z } from 'zod';

/** The column types that PostgreSQL's drivers give differently (pg a Buffer and text for bigint, PGlite a Uint8Array and a number). */
export const bytes = z.instanceof(Uint8Array).transform((value) => Buffer.from(value));
/** A moment that no Date can hold (`infinity`, written by somebody else) reads as 1970: long over, wherever it is asked. */
export const moment = z
  .unknown()
  .transform((value) => (value instanceof Date && !Number.isNaN(value.getTime()) ? value : new Date(0)));
export const bigint = z.coerce.number().int();

/** JSON in a text column. */
export const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
