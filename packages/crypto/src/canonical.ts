const MAX_DEPTH = 64;

/**
 * One text for one value: JSON with sorted member names and no blanks (RFC 8785, JSON Canonicalization Scheme), so that a digest or
 * signature over it can be checked elsewhere. A subset: what JSON cannot say exactly is refused instead of being dropped or changed.
 *
 * @throws TypeError for undefined, functions, symbols, bigints, objects of a class (a Date, a Map) and text with a lone surrogate.
 * @throws RangeError for NaN, the infinities, and nesting deeper than 64 levels (a cycle among them).
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError(`canonical JSON: deeper than ${MAX_DEPTH} levels`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return writeNumber(value);
  if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`;
  if (isPlainObject(value)) return writeObject(value, depth);
  throw new TypeError(`canonical JSON: cannot write a value of type ${typeof value}`);
}

function writeString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('canonical JSON: text with a lone surrogate');
  return JSON.stringify(text);
}

/** ECMAScript's own number format is the one RFC 8785 asks for (section 3.2.2.3); -0 becomes 0. */
function writeNumber(number: number): string {
  if (!Number.isFinite(number)) throw new RangeError('canonical JSON: a number that is not finite');
  return JSON.stringify(number);
}

/** Names are sorted by UTF-16 code units (section 3.2.3), which is what `sort()` does. */
function writeObject(object: Record<string, unknown>, depth: number): string {
  const members = Object.keys(object)
    .sort()
    .map((name) => `${writeString(name)}:${write(object[name], depth + 1)}`);
  return `{${members.join(',')}}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
