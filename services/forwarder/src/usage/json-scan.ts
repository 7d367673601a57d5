/** Where in a document the scan is, as far as it matters: model tokens are stated at few places. */
const OTHER = 0;
/** The document, or an element of the list that it is. */
const ROOT = 1;
/** `response` or `message` of the document. */
const WRAPPER = 2;
/** `usage` or `usageMetadata` of either. */
const USAGE = 3;
type Place = typeof OTHER | typeof ROOT | typeof WRAPPER | typeof USAGE;

/** Places are remembered down to here: list, element, wrapper, usage. Below, only brackets are counted. */
const DEEPEST = 4;
const MAX_KEY_BYTES = 64;
/** No answer states a thousand million tokens: a lie must not outgrow the sums that it goes into. */
const MAX_DIGITS = 9;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const [ZERO, NINE, SPACE] = [0x30, 0x39, 0x20];

/** Is told each whole number of a `usage` object, with its name. */
export type OnCount = (name: string, count: number) => void;

/**
 * Reads the numbers of the usage objects of a JSON document as its bytes pass, in whatever chunks, in constant memory. It is a
 * tokenizer, not a search for text: a usage object inside a string, or at another place, is none. It never throws; what is not
 * JSON gives nothing, or numbers that were there.
 */
export class JsonScan {
  readonly #onCount: OnCount;
  #depth = 0;
  readonly #places = new Uint8Array(DEEPEST + 1);
  readonly #isObject = new Uint8Array(DEEPEST + 1);
  #inString = false;
  /** The byte before was a backslash that escapes the next one. */
  #escaped = false;
  /** A string that begins here is a name. */
  #awaitsKey = false;
  /** The string that is being read is a name that may matter. */
  #isKey = false;
  /** What has come of it, a character for each byte. */
  #keyBytes = '';
  #key = '';
  /** Digits of a number under way; -1: none, or one that is no whole number. */
  #digits = -1;
  #number = 0;

  constructor(onCount: OnCount) {
    this.#onCount = onCount;
  }

  /** Another document begins. */
  reset(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#awaitsKey = false;
    this.#isKey = false;
    this.#key = '';
    this.#digits = -1;
  }

  /** Reads `bytes` from `start` up to `end`. */
  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#inString ? this.#string(bytes, at, end) : this.#token(bytes[at]!, at);
  }

  /** @returns Where to go on: behind the closing quote, or at the end where there is none yet. */
  #string(bytes: Buffer, from: number, end: number): number {
    const stop = this.#endOfString(bytes, from, end);
    if (this.#isKey) this.#collectKey(bytes, from, stop);
    if (stop === end) return end;
    this.#inString = false;
    if (this.#isKey) this.#key = nameOf(this.#keyBytes);
    return stop + 1;
  }

  /** By the search of the platform: most of an answer is text. @returns Where the closing quote is; `end`: not here. */
  #endOfString(bytes: Buffer, from: number, end: number): number {
    const within = end === bytes.length ? bytes : bytes.subarray(0, end);
    let start = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    for (;;) {
      const quote = within.indexOf(QUOTE, start);
      const stop = quote === -1 ? end : quote;
      let backslashes = 0;
      while (stop - backslashes > start && bytes[stop - backslashes - 1] === BACKSLASH) backslashes += 1;
      const isEscaped = backslashes % 2 === 1;
      if (stop === end) {
        this.#escaped = isEscaped;
        return end;
      }
      if (!isEscaped) return stop;
      start = stop + 1;
    }
  }

  #collectKey(bytes: Buffer, from: number, end: number): void {
    if (this.#keyBytes.length + end - from > MAX_KEY_BYTES) this.#isKey = false;
    else this.#keyBytes += bytes.toString('latin1', from, end);
  }

  #token(byte: number, at: number): number {
    if (byte >= ZERO && byte <= NINE) this.#digit(byte - ZERO);
    else {
      const place = this.#places[Math.min(this.#depth, DEEPEST)]!;
      this.#endNumber(byte, place as Place);
      if (byte === QUOTE) this.#beginString(place as Place);
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte === OPEN_OBJECT, place as Place);
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#close();
      else if (byte === COMMA) {
        this.#key = '';
        this.#awaitsKey = this.#depth <= DEEPEST && this.#isObject[this.#depth] === 1;
      }
    }
    return at + 1;
  }

  #beginString(place: Place): void {
    this.#inString = true;
    this.#isKey = this.#awaitsKey && this.#depth <= DEEPEST && place !== OTHER;
    this.#keyBytes = '';
    this.#awaitsKey = false;
  }

  #open(isObject: boolean, place: Place): void {
    const inside = this.#depth === 0 ? ROOT : this.#placeInside(isObject, place);
    this.#depth += 1;
    if (this.#depth <= DEEPEST) {
      this.#places[this.#depth] = inside;
      this.#isObject[this.#depth] = isObject ? 1 : 0;
    }
    this.#key = '';
    this.#awaitsKey = isObject;
  }

  #placeInside(isObject: boolean, place: Place): Place {
    if (!isObject || this.#depth >= DEEPEST) return OTHER;
    if (this.#isObject[this.#depth] === 0) return this.#depth === 1 ? ROOT : OTHER;
    if (place === ROOT && (this.#key === 'response' || this.#key === 'message')) return WRAPPER;
    const isUsage = this.#key === 'usage' || this.#key === 'usageMetadata';
    return isUsage && (place === ROOT || place === WRAPPER) ? USAGE : OTHER;
  }

  #close(): void {
    if (this.#depth > 0) this.#depth -= 1;
    this.#key = '';
    this.#awaitsKey = false;
  }

  #digit(digit: number): void {
    if (this.#key === '' || this.#digits === Number.POSITIVE_INFINITY) return;
    if (this.#digits < 0) {
      this.#digits = 0;
      this.#number = 0;
    }
    this.#digits += 1;
    this.#number = this.#number * 10 + digit;
  }

  /** A number ends with the byte behind it; a sign, a point or an exponent makes it one that does not count. */
  #endNumber(byte: number, place: Place): void {
    const ends = byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte <= SPACE;
    if (!ends && byte !== COLON && byte !== QUOTE) {
      this.#digits = Number.POSITIVE_INFINITY; // also within `true`, where it does no harm
      return;
    }
    if (ends && this.#digits > 0 && this.#digits <= MAX_DIGITS && place === USAGE && this.#depth <= DEEPEST)
      this.#onCount(this.#key, this.#number);
    this.#digits = -1;
  }
}

/** A name as JSON writes it, escapes and all. @param bytes A character for each. */
function nameOf(bytes: string): string {
  if (!bytes.includes('\\')) return bytes; // one that is not ASCII is none of ours in any form
  try {
    return String(JSON.parse(`"${bytes}"`));
  } catch {
    return ''; // not JSON: no name of ours
  }
}
