import { z } from 'zod';

/** A machine's slug: the tenant's name in paths (design section 3). */
export const Slug = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 of a-z, 0-9 and -');

/** A registered API's name, unique per machine. Names that look like our ids are refused, so that `:id` is never ambiguous. */
export const ApiName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be 1 to 63 of a-z, 0-9, ".", "_" and "-", and begin with a letter or digit',
  )
  .refine((name) => !/^(api|mch|key|tok)_/.test(name), 'must not begin like an id (api_, mch_, key_, tok_)');

/** Ids are a prefix and 22 characters of base62 (131 random bits). */
export const idOf = (prefix: 'api' | 'mch' | 'key' | 'tok') =>
  z.string().regex(new RegExp(`^${prefix}_[0-9A-Za-z]{22}$`));

/** `:id` in a path: the id or the name of a registered API. */
export const ApiRef = z.string().min(1).max(63);

/** Moments on the wire are RFC 3339 in UTC with milliseconds. */
export const Moment = z.iso.datetime({ precision: 3 });

/** A name that people give to things: no control characters, which PostgreSQL (NUL) and terminals do not take well. */
export const Label = z
  .string()
  .min(1)
  .max(255)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');
