/** Everything that came back to a client, to be searched for what must not be in it. */
export interface Transcript {
  /** Give it to an SDK in place of `fetch`. */
  fetch: typeof fetch;
  /** Header lines and bodies of all answers so far; resolves once their bodies have ended. */
  text: () => Promise<string>;
}

/** A `fetch` that keeps a copy of every answer while the SDK reads it. */
export function openTranscript(): Transcript {
  const parts: Promise<string>[] = [];
  const noting = async (input: string | URL | Request, init?: RequestInit) => {
    const answer = await fetch(input, init);
    parts.push(copyOf(answer.clone()));
    return answer;
  };
  return { fetch: noting, text: async () => (await Promise.all(parts)).join('\n') };
}

async function copyOf(answer: Response): Promise<string> {
  const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
  let body = '';
  try {
    const decoder = new TextDecoder('latin1');
    for await (const chunk of answer.body ?? []) body += decoder.decode(chunk, { stream: true });
  } catch {
    body += '(cut)'; // the client left, or the upstream broke: what came until then counts
  }
  return `${answer.status}\n${lines.join('\n')}\n${body}`;
}
