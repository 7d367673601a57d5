/**
 * Reads the text out of a model's server-sent events: what arrives piece by piece in the `data:` lines of OpenAI, Anthropic and
 * Gemini style streams. Pieces may end anywhere, so the last line is kept until its end has come.
 */
export class DeltaReader {
  #rest = '';

  /** @returns The text that this piece completes. */
  push(piece: string): string {
    const lines = (this.#rest + piece).split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    return lines.map(deltaOf).join('');
  }
}

function deltaOf(line: string): string {
  if (!line.startsWith('data:')) return '';
  const data = line.slice(5).trim();
  if (!data.startsWith('{')) return ''; // [DONE]
  try {
    return textOf(JSON.parse(data));
  } catch {
    return ''; // not JSON after all: the raw view shows it
  }
}

interface KnownEvents {
  choices?: { delta?: { content?: unknown }; text?: unknown }[];
  delta?: { text?: unknown } | string;
  candidates?: { content?: { parts?: { text?: unknown }[] } }[];
}

function textOf(event: KnownEvents): string {
  const { choices, delta, candidates } = event;
  const texts = [
    choices?.[0]?.delta?.content ?? choices?.[0]?.text,
    typeof delta === 'string' ? delta : delta?.text,
    ...(candidates?.[0]?.content?.parts ?? []).map((part) => part.text),
  ];
  return texts.filter((text) => typeof text === 'string').join('');
}
