import { ProblemError } from '@zeq/service-kit';

/** A frame is opened as a whole, so it is held as a whole: all of them together, and those of one address (bytes). */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_BYTES_PER_ADDRESS = 16 * 1024 * 1024;

/** What one frame holds. */
export interface Held {
  /** Takes more room. @returns Why there is none. */
  admit: (bytes: number) => ProblemError | undefined;
  /** Gives all of it back; once counts. */
  release: () => void;
}

/** Bounds the memory that frames take from their arrival until their requests have been used. */
export class FrameMemory {
  readonly #byAddress = new Map<string, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  hold(address: string): Held {
    let mine = 0;
    return {
      admit: (bytes) => {
        if (!this.#take(address, bytes))
          return new ProblemError('overloaded', 'Too many long frames at once.');
        mine += bytes;
        return undefined;
      },
      release: () => {
        this.#give(address, mine);
        mine = 0;
      },
    };
  }

  #take(address: string, bytes: number): boolean {
    const ofAddress = (this.#byAddress.get(address) ?? 0) + bytes;
    if (this.#bytes + bytes > MAX_BYTES || ofAddress > MAX_BYTES_PER_ADDRESS) return false;
    this.#bytes += bytes;
    this.#byAddress.set(address, ofAddress);
    return true;
  }

  #give(address: string, bytes: number): void {
    const left = (this.#byAddress.get(address) ?? 0) - bytes;
    this.#bytes -= bytes;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
