import fc from 'fast-check';
import { formsOf } from '../../src/redaction/forms.ts';
import { buildTable, Matcher } from '../../src/redaction/matcher.ts';
import { Redactor } from '../../src/redaction/redactor.ts';

const SECRET = 'sk-live-5f2b9c7e41d8a6';
const FORMS = formsOf(Buffer.from(`Bearer ${SECRET}`));

/** A stream in the given pieces. */
function run(pieces: readonly Buffer[], secrets = new Matcher(buildTable(FORMS))): Buffer {
  const redactor = new Redactor(secrets);
  return Buffer.concat([...pieces.map((piece) => redactor.push(piece)), redactor.end()]);
}

/** What each byte becomes when the whole is looked at with nothing but `indexOf`. */
function expected(data: Buffer, all: readonly Buffer[]): Buffer {
  const hidden = Buffer.from(data);
  for (const form of all)
    for (let at = data.indexOf(form); at >= 0; at = data.indexOf(form, at + 1))
      hidden.fill(0, at, at + form.length);
  return hidden;
}

/** Text made of pieces of the secret's forms and of what looks like them. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...FORMS.map((form) => form.toString('latin1'))),
      fc.constantFrom(...FORMS.map((form) => form.toString('latin1').slice(0, -1))),
      fc.constantFrom(...FORMS.map((form) => form.toString('latin1').slice(1))),
      fc.constantFrom('s', 'sk', 'sk-', '\n\n', 'data: ', '%', '\\u00'),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.from(parts.join('')));

const cuts = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 30 });

function cut(data: Buffer, at: readonly number[]): Buffer[] {
  const borders = [0, ...at.filter((one) => one < data.length).sort((a, b) => a - b), data.length];
  return borders.slice(1).map((to, i) => data.subarray(borders[i], to));
}

describe('Redactor', () => {
  it('hides what a search of the whole would find, and nothing else, however it is cut', () => {
    fc.assert(
      fc.property(texts, cuts, (data, at) => {
        const out = run(cut(data, at));

        const all = expected(data, FORMS);
        expect(out).toHaveLength(data.length);
        for (const form of FORMS) expect(out.includes(form)).toBe(false);
        for (let i = 0; i < data.length; i += 1) if (all[i] !== 0) expect(out[i]).toBe(data[i]);
      }),
      { numRuns: 500 },
    );
  });

  it('finds every form across a border at every byte', () => {
    for (const form of FORMS) {
      const data = Buffer.concat([Buffer.from('before '), form, Buffer.from(' behind')]);
      for (let at = 0; at <= data.length; at += 1) {
        const out = run([data.subarray(0, at), data.subarray(at)]).toString('latin1');
        expect(out).toMatch(/^before \[.*\** behind$/);
        expect(out).not.toContain(form.toString('latin1'));
      }
    }
  });

  it('hides a form that comes byte by byte', () => {
    const data = Buffer.from(`x${SECRET}${SECRET}y`);
    const hidden = `[redacted]${'*'.repeat(SECRET.length - 10)}`;
    expect(run([...data].map((byte) => Buffer.of(byte))).toString()).toBe(`x${hidden}${hidden}y`);
  });

  it('hides overlapping matches of a secret that repeats itself', () => {
    const secret = 'abcabcabcabc';
    const text = `-${'abc'.repeat(9)}-`;
    for (let size = 1; size <= text.length; size += 1) {
      const pieces = text.match(new RegExp(`.{1,${size}}`, 'g'))!.map((piece) => Buffer.from(piece));
      const out = run(pieces, new Matcher(buildTable([Buffer.from(secret)]))).toString();
      expect(out).not.toMatch(/[abc]{3}/);
      expect(out).toHaveLength(text.length);
    }
  });

  it('hands on a chunk as it is when nothing is in it', () => {
    const chunk = Buffer.from('data: an ordinary event\n\n');
    expect(new Redactor(new Matcher(buildTable(FORMS))).push(chunk)).toBe(chunk);
  });

  it('holds nothing back but what may begin the secret', () => {
    const redactor = new Redactor(new Matcher(buildTable(FORMS)));
    expect(redactor.push(Buffer.from('data: your key is sk-li')).toString()).toBe('data: your key is ');
    expect(redactor.push(Buffer.from('near\n\n')).toString()).toBe('sk-linear\n\n');
  });
});

describe('Matcher', () => {
  it('finds what indexOf finds', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all.map((byte) => byte % 4)));
    const strings = fc.array(
      fc.uint8Array({ minLength: 2, maxLength: 6 }).map((all) => Buffer.from(all.map((byte) => byte % 4))),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(bytes, strings, fc.nat(20), (data, all, from) => {
        const longestFirst = all.map((one) => Buffer.from(one)).sort((a, b) => b.length - a.length);
        const matcher = new Matcher(buildTable(longestFirst));
        const starts = all.map((one) => data.indexOf(one, from)).filter((at) => at >= 0);
        const first = starts.length === 0 ? -1 : Math.min(...starts);

        expect(matcher.find(data, Math.min(from, data.length))).toBe(first);
        if (first >= 0) {
          const here = longestFirst.filter((one) => data.subarray(first, first + one.length).equals(one));
          expect(matcher.length).toBe(here[0]!.length);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('forgets everything when it is wiped, and searches no more', () => {
    const table = buildTable(FORMS);
    const matcher = new Matcher(table);
    matcher.wipe();
    expect(table.bytes.every((byte) => byte === 0)).toBe(true);
    expect(() => matcher.find(Buffer.alloc(1_000), 0)).toThrow('wiped');
  });
});
