import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { freshIv, GCM_KEY_BYTES, GCM_TAG_BYTES, gcmOpen, gcmSeal, wipe } from '@zeq/crypto';

const LENGTH_BYTES = 4;
const NO_AAD = new Uint8Array(0);

/**
 * Byte strings that stay sealed in memory (AES-256-GCM under a key of their own, which lives as long as they do): opening them
 * costs a few microseconds, working them out again some hundred.
 */
export class SealedForms {
  readonly #key: KeyObject;
  readonly #iv = freshIv();
  readonly #body: Buffer;
  readonly #tag: Buffer;

  /** @param forms The caller wipes them. */
  constructor(forms: readonly Buffer[]) {
    const key = randomBytes(GCM_KEY_BYTES);
    this.#key = createSecretKey(key);
    const packed = pack(forms);
    const sealed = gcmSeal(this.#key, this.#iv, NO_AAD, packed);
    wipe(key, packed);
    this.#body = sealed.subarray(0, sealed.length - GCM_TAG_BYTES);
    this.#tag = sealed.subarray(sealed.length - GCM_TAG_BYTES);
  }

  /** The strings in their order; the caller wipes them. */
  open(): Buffer[] {
    return unpack(gcmOpen(this.#key, this.#iv, NO_AAD, this.#body, this.#tag));
  }
}

/** length(4, big-endian) ‖ bytes, for each. */
function pack(forms: readonly Buffer[]): Buffer {
  const size = forms.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0);
  const out = Buffer.alloc(size);
  let at = 0;
  for (const form of forms) {
    at = out.writeUInt32BE(form.length, at);
    at += form.copy(out, at);
  }
  return out;
}

function unpack(packed: Buffer): Buffer[] {
  const forms: Buffer[] = [];
  for (let at = 0; at < packed.length; ) {
    const from = at + LENGTH_BYTES;
    at = from + packed.readUInt32BE(at);
    forms.push(packed.subarray(from, at));
  }
  return forms;
}
