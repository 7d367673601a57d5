import { chunksOf } from '@zeq/crypto/web';
import { ZeqError } from '../client/zeq-error.ts';

export interface ServerEvent {
  id: string | undefined;
  event: string | undefined;
  data: string;
}

/** A line longer than this is not one of ours. */
const MAX_LINE_CHARS = 1 << 20;

/** Server-sent events as they come (HTML standard, section 9.2). Comments and events without data are left out. */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerEvent, void, undefined> {
  let event: Partial<ServerEvent> = {};
  for await (const line of linesOf(body)) {
    if (line === '') {
      if (event.data !== undefined) yield { id: event.id, event: event.event, data: event.data };
      event = {};
      continue;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (name === 'data') event.data = event.data === undefined ? value! : `${event.data}\n${value}`;
    if (name === 'id' || name === 'event') event[name] = value!;
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of chunksOf(body)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_CHARS)
      throw new ZeqError({
        status: 200,
        code: 'answer_invalid',
        detail: 'The stream has a line without end.',
      });
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
}
