import type { IncomingHttpHeaders } from 'node:http';
import { EventScan } from './event-scan.ts';
import { JsonScan } from './json-scan.ts';

/** More of an answer than this (bytes) is not read for its tokens: one that states them is far shorter. */
const READ_UP_TO = 64 * 1024 * 1024;

/**
 * What the names stand for. `input`, `cached` and `tools` add up to what went in, `output` and `thoughts` to what came out: Anthropic
 * does not count cached input as input, nor Gemini thoughts as candidates. OpenAI's `..._details` are parts of its sums, so they are
 * left alone.
 */
const SLOTS = new Map<string, keyof Slots>([
  ['prompt_tokens', 'input'], // OpenAI chat completions, embeddings
  ['completion_tokens', 'output'],
  ['input_tokens', 'input'], // OpenAI responses, Anthropic messages
  ['output_tokens', 'output'],
  ['cache_creation_input_tokens', 'cacheWrite'], // Anthropic
  ['cache_read_input_tokens', 'cacheRead'],
  ['promptTokenCount', 'input'], // Gemini
  ['candidatesTokenCount', 'output'],
  ['toolUsePromptTokenCount', 'tools'],
  ['thoughtsTokenCount', 'thoughts'],
]);

interface Slots {
  input: number;
  cacheWrite: number;
  cacheRead: number;
  tools: number;
  output: number;
  thoughts: number;
}

/**
 * Reads the model tokens that an answer states, as its bytes pass: it looks on, holds nothing up and keeps no more than a few
 * numbers. Of several statements in a stream the last one counts, because all providers state sums so far.
 */
export class ModelTokens {
  readonly #slots: Slots = { input: -1, cacheWrite: -1, cacheRead: -1, tools: -1, output: -1, thoughts: -1 };
  readonly #json = new JsonScan((name, count) => this.#note(name, count));
  readonly #events: EventScan | undefined;
  #bytes = 0;

  /** @param isEventStream Otherwise it is a JSON document, or a list of them that grows. */
  constructor(isEventStream: boolean) {
    this.#events = isEventStream ? new EventScan(this.#json) : undefined;
  }

  /** The next bytes of the body, unpacked. */
  chunk(bytes: Buffer): void {
    if (this.#bytes >= READ_UP_TO) return;
    this.#bytes += bytes.length;
    if (this.#events === undefined) this.#json.push(bytes, 0, bytes.length);
    else this.#events.push(bytes);
  }

  /** -1: not stated. */
  get input(): number {
    const { input, cacheWrite, cacheRead, tools } = this.#slots;
    return sumOf([input, cacheWrite, cacheRead, tools]);
  }

  /** -1: not stated. */
  get output(): number {
    return sumOf([this.#slots.output, this.#slots.thoughts]);
  }

  #note(name: string, count: number): void {
    const slot = SLOTS.get(name);
    if (slot !== undefined) this.#slots[slot] = count;
  }
}

/** @returns undefined for an answer that would not state tokens: only good ones in JSON or events do. */
export function observeTokens(status: number, headers: IncomingHttpHeaders): ModelTokens | undefined {
  if (status < 200 || status > 299) return undefined;
  const type = headers['content-type'];
  if (typeof type !== 'string') return undefined;
  if (EVENTS.test(type)) return new ModelTokens(true);
  return JSON_TYPE.test(type) ? new ModelTokens(false) : undefined;
}

const EVENTS = /^\s*text\/event-stream\s*(?:;|$)/i;
const JSON_TYPE = /^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

const sumOf = (parts: readonly number[]): number =>
  parts.every((part) => part < 0) ? -1 : parts.reduce((sum, part) => sum + Math.max(0, part), 0);
