import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Far above the longest secret; it keeps a wrong file from being read whole. */
const MAX_LINE_CHARS = 65_536;

/** Lines of an input that is no terminal, one per question. */
export class LineReader {
  readonly #chunks: AsyncIterator<Buffer | string>;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #ended = false;

  constructor(input: Readable) {
    this.#chunks = input[Symbol.asyncIterator]();
  }

  /** The next line without its end; undefined when there is none. @throws RangeError for a line that is too long */
  async next(): Promise<string | undefined> {
    let end = this.#rest.indexOf('\n');
    while (end < 0 && !this.#ended) {
      await this.#pull();
      end = this.#rest.indexOf('\n');
    }
    if (this.#rest === '' && this.#ended) return undefined;
    const line = end < 0 ? this.#rest : this.#rest.slice(0, end);
    this.#rest = end < 0 ? '' : this.#rest.slice(end + 1);
    return line.replace(/\r$/, '');
  }

  /** Lets go of an input that nobody reads to its end, so that the process can end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    this.#ended = done === true;
    this.#rest += done ? this.#decoder.end() : this.#decoder.write(Buffer.from(value));
    if (this.#rest.length > MAX_LINE_CHARS) throw new RangeError('the input has a line that is too long');
  }
}
