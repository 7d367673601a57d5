import { inspect } from 'node:util';
import { wipe } from '@zeq/crypto';

/** A plaintext credential in memory: it prints as `[redacted]` wherever somebody prints it by mistake. */
export class Secret {
  readonly #bytes: Buffer;

  /** @param bytes Not copied: `wipe` overwrites them. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, 'utf8'));
  }

  /** The bytes themselves, for encryption only. */
  reveal(): Buffer {
    return this.#bytes;
  }

  wipe(): void {
    wipe(this.#bytes);
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
