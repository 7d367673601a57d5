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
  /** Collected while a name is being read that may matter; undefined otherwise. */
  #keyBytes: number[] | undefined;
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
    this.#keyBytes = undefined;
    this.#key = '';
    this.#digits = -1;
  }

  /** Reads `bytes` from `start` up to `end`. */
  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#inString ? this.#string(bytes, at, end) : this.#token(bytes[at]!, at);
  }

  /** @returns Where to go on. */
  #string(bytes: Buffer, from: number, end: number): number {
    if (this.#keyBytes === undefined && !this.#escaped) return this.#skip(bytes, from, end);
    const byte = bytes[from]!;
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#endString();
      return from + 1;
    }
    if (this.#keyBytes !== undefined && this.#keyBytes.push(byte) > MAX_KEY_BYTES) this.#keyBytes = undefined;
    return from + 1;
  }

  /** To the end of a string that does not matter, by the search of the platform: most of an answer is text. */
  #skip(bytes: Buffer, from: number, end: number): number {
    const quote = (end === bytes.length ? bytes : bytes.subarray(0, end)).indexOf(QUOTE, from);
    const stop = quote === -1 ? end : quote;
    let backslashes = 0;
    while (stop - backslashes > from && bytes[stop - backslashes - 1] === BACKSLASH) backslashes += 1;
    const isEscaped = backslashes % 2 === 1;
    if (stop === end) {
      this.#escaped = isEscaped;
      return end;
    }
    if (!isEscaped) this.#endString();
    return stop + 1;
  }

  #endString(): void {
    this.#inString = false;
    if (this.#keyBytes === undefined) return;
    this.#key = nameOf(this.#keyBytes);
    this.#keyBytes = undefined;
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
    const matters = this.#awaitsKey && this.#depth <= DEEPEST && place !== OTHER;
    this.#keyBytes = matters ? [] : undefined;
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

/** A name as JSON writes it, escapes and all. */
function nameOf(bytes: readonly number[]): string {
  const text = Buffer.from(bytes).toString('utf8');
  if (!text.includes('\\')) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return ''; // not JSON: no name of ours
  }
}
