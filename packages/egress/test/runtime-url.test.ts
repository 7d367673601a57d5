import { domainToASCII } from 'node:url';
import { egressRules, parseBaseUrl } from '../src/index.ts';
import { readVector } from './vectors.ts';

interface UrlRow {
  input: string;
  base: string | null;
  hostname?: string;
  failure?: boolean;
}

const rules = egressRules();
const rows = (readVector('wpt-url/urltestdata.json') as (UrlRow | string)[]).filter(
  (row): row is UrlRow => typeof row !== 'string' && row.base === null && /^https?:/i.test(row.input),
);

/** Hosts of the published rows on which the runtime and the file disagree. */
const disputed = rows.filter((row) => {
  try {
    return row.failure === true || new URL(row.input).hostname !== row.hostname;
  } catch {
    return row.failure !== true;
  }
});

describe('parseBaseUrl and the runtime', () => {
  it('allows only what the URL standard reads as the same host', () => {
    for (const row of rows) {
      const parsed = parseBaseUrl(row.input, rules);
      if (!parsed.ok) continue;
      expect(row.failure).toBeUndefined();
      expect(row.hostname?.replace(/^\[|\]$/g, '')).toBe(parsed.url.host);
    }
  });

  it('refuses every row on which runtimes differ', () => {
    for (const row of disputed)
      expect([row.input, parseBaseUrl(row.input, rules).ok]).toEqual([row.input, false]);
  });

  it('asks the runtime only about labels of letters, and believes only an xn-- answer', () => {
    expect(domainToASCII('bücher')).toBe('xn--bcher-kva');
    for (const host of ['faß.example.com', '日本.example.com', 'пример.example.com'])
      expect(parseBaseUrl(`https://${host}`, rules)).toMatchObject({ ok: true });
    for (const host of ['١٢٧.example.com', '☕.example.com', 'a\u200db.example.com', 'ﬁ.example.com'])
      expect(parseBaseUrl(`https://${host}`, rules)).toMatchObject({ ok: false });
  });
});
