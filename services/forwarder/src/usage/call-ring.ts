import type { RecordedCall } from '@zeq/contracts';

/** The latest calls that wait to be sent, at most so many: then the oldest gives way. */
export class CallRing {
  /** Calls that gave way. */
  dropped = 0;
  readonly #capacity: number;
  readonly #ring: (RecordedCall | undefined)[];
  #first = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#ring = new Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  push(call: RecordedCall): void {
    if (this.#size === this.#capacity) {
      this.#forgetFirst();
      this.dropped += 1;
    }
    this.#ring[(this.#first + this.#size) % this.#capacity] = call;
    this.#size += 1;
  }

  /** Takes up to so many of the oldest out. */
  take(limit: number): RecordedCall[] {
    const taken: RecordedCall[] = [];
    while (taken.length < limit && this.#size > 0) {
      taken.push(this.#ring[this.#first]!);
      this.#forgetFirst();
    }
    return taken;
  }

  #forgetFirst(): void {
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#capacity;
    this.#size -= 1;
  }
}
