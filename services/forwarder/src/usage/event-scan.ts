import type { JsonScan } from './json-scan.ts';

const [LF, CR, SPACE] = [0x0a, 0x0d, 0x20];
const FIELD = Buffer.from('data:');

/** At the beginning of a line: how many bytes of `data:` have matched; then what the rest of the line is. */
const IN_DATA = FIELD.length;
const IN_OTHER = -1;

/**
 * Finds the data lines of server-sent events (WHATWG HTML, section 9.2) and gives them to the scan of JSON as they come, whatever
 * the chunks. The lines of one event are one document; an empty line ends it.
 */
export class EventScan {
  readonly #json: JsonScan;
  #line: number = 0;
  #isEmpty = true;
  #wasCr = false;
  /** One space behind the colon is not part of the data. */
  #mayDropSpace = false;

  constructor(json: JsonScan) {
    this.#json = json;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length)
      at = this.#line >= 0 && this.#line < IN_DATA ? this.#begin(bytes, at) : this.#rest(bytes, at);
  }

  /** One byte of a line's beginning. */
  #begin(bytes: Buffer, at: number): number {
    const byte = bytes[at]!;
    if (byte === LF || byte === CR) return this.#endLine(byte, at);
    this.#isEmpty = false;
    this.#wasCr = false;
    this.#line = byte === FIELD[this.#line] ? this.#line + 1 : IN_OTHER;
    this.#mayDropSpace = this.#line === IN_DATA;
    return at + 1;
  }

  /** What is left of the line in this chunk. */
  #rest(bytes: Buffer, from: number): number {
    const end = endOfLine(bytes, from);
    if (this.#line === IN_DATA && end > from) {
      const start = this.#mayDropSpace && bytes[from] === SPACE ? from + 1 : from;
      this.#mayDropSpace = false;
      this.#json.push(bytes, start, end);
    }
    return end === bytes.length ? end : this.#endLine(bytes[end]!, end);
  }

  #endLine(byte: number, at: number): number {
    const isSecondHalf = byte === LF && this.#wasCr && this.#isEmpty;
    this.#wasCr = byte === CR;
    if (isSecondHalf) return at + 1; // CR LF is one end
    if (this.#line === IN_DATA) this.#json.push(NEWLINE, 0, 1);
    else if (this.#isEmpty) this.#json.reset();
    this.#line = 0;
    this.#isEmpty = true;
    return at + 1;
  }
}

const NEWLINE = Buffer.from('\n');

function endOfLine(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] === LF || bytes[at] === CR) return at;
  return bytes.length;
}
