import type { Matcher } from './matcher.ts';
import { Redactor } from './redactor.ts';

/** Framing is not touched: a length that happens to look like a secret is still a length. */
const NOT_SEARCHED = 'content-length';

/**
 * Takes a secret out of headers, in place. One whose name holds it is left out.
 *
 * @param headers Raw pairs; one character is one byte, as HTTP clients read them.
 */
export function redactHeaders(headers: string[], secrets: Matcher): void {
  if (!holds(headers.join('\n'), secrets)) return;
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!];
    if (holds(name, secrets)) headers.splice(i, 2);
    else if (name !== NOT_SEARCHED) headers[i + 1] = redactText(value, secrets);
  }
}

function redactText(text: string, secrets: Matcher): string {
  const bytes = Buffer.from(text, 'latin1');
  const clean = new Redactor(secrets).end(bytes);
  return clean === bytes ? text : clean.toString('latin1');
}

const holds = (text: string, secrets: Matcher): boolean => secrets.find(Buffer.from(text, 'latin1'), 0) >= 0;
