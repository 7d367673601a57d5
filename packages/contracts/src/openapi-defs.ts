type Json = { [key: string]: unknown };

/**
 * Moves the definitions that recursive schemas carry with them (`$defs`) to one place of the document. Left where they are,
 * their references would be read from the document's root, where nothing is.
 *
 * @returns The document without `$defs`, and the definitions by name; equal ones are kept once.
 */
export function hoistDefs(document: Json): { document: Json; schemas: Json } {
  const names = new Map<string, string>();
  const schemas: Json = {};
  const nameOf = (def: unknown): string => {
    const text = JSON.stringify(def);
    const name = names.get(text) ?? `Recursive${names.size + 1}`;
    names.set(text, name);
    return name;
  };
  const walk = (node: unknown, local: ReadonlyMap<string, string>): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, local));
    if (typeof node !== 'object' || node === null) return node;
    const { $defs, ...rest } = node as Json & { $defs?: Json };
    if ($defs === undefined) return mapValues(rest, (value, key) => pointed(key, walk(value, local), local));
    const inner = new Map(Object.entries($defs).map(([key, def]) => [key, nameOf(def)]));
    for (const [key, def] of Object.entries($defs)) schemas[inner.get(key)!] ??= walk(def, inner);
    return walk(rest, inner);
  };
  return { document: walk(document, new Map()) as Json, schemas };
}

/** A reference to a local definition, pointed to where that lies now. */
function pointed(key: string, value: unknown, local: ReadonlyMap<string, string>): unknown {
  if (key !== '$ref' || typeof value !== 'string') return value;
  const name = local.get(value.replace(/^#\/\$defs\//, ''));
  return name === undefined ? value : `#/components/schemas/${name}`;
}

const mapValues = (node: Json, change: (value: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, change(value, key)]));
