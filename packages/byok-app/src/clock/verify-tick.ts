import type { Tick } from '@zeq/contracts';
import {
  type Bytes,
  concatBytes,
  ko42Of,
  PULSE_HZ,
  phaseOf,
  phaseRadians,
  utf8Bytes,
  zeqondOf,
} from '@zeq/crypto/web';

/** What can be wrong with a tick, in the words and the order of docs/vectors/clock.md. */
export type TickFault =
  | 'unattested'
  | 'fields'
  | 'signature'
  | 'foreign'
  | 'fork'
  | 'repeated'
  | 'missing'
  | 'order'
  | 'link'
  | 'gap';
export type AttestedTick = Tick & { tesc: NonNullable<Tick['tesc']> };

/** Signed into the tick (docs/vectors/clock.md, "Ticks"). */
export const GAP_CODES: Record<NonNullable<Tick['gap']>['reason'], number> = {
  restart: 1,
  stall: 2,
  clock_forward: 3,
  clock_back: 4,
  store_unavailable: 5,
  takeover: 6,
};

/** Sines differ between engines in the last bit. */
const KO42_TOLERANCE = 1e-15;
const CONTENT_LABEL = utf8Bytes('zeq/tick/v1\0');
const HEAD_LABEL = utf8Bytes('zeq/head/v1\0');

/**
 * Follows the chain of ticks with WebCrypto alone: whoever serves this page cannot show a tick that was not signed, and cannot
 * leave one out unseen. The first tick's key is believed and kept.
 */
export class TickFollower {
  #head: AttestedTick | undefined;

  get head(): AttestedTick | undefined {
    return this.#head;
  }

  /** @returns What is wrong; undefined when the tick holds and follows from the one before. */
  async accept(tick: Tick): Promise<TickFault | undefined> {
    const alone = await checkTick(tick);
    if (alone !== undefined) return alone;
    const attested = tick as AttestedTick;
    const broken = this.#head && (await checkLink(this.#head, attested));
    if (broken !== undefined) {
      // Ticks that were not shown (a sleeping tab) are no lie: the chain is followed anew from here.
      if (broken === 'missing') this.#head = attested;
      return broken;
    }
    this.#head = attested;
    return undefined;
  }
}

/** Checks one tick by itself: its time fields, and its signature under the key that it names. */
export async function checkTick(tick: Tick): Promise<TickFault | undefined> {
  if (tick.tesc === undefined) return 'unattested';
  if (!timeFieldsAgree(tick)) return 'fields';
  return (await signatureHolds(tick as AttestedTick)) ? undefined : 'signature';
}

/** Checks that one verified tick follows from another. */
export async function checkLink(head: AttestedTick, tick: AttestedTick): Promise<TickFault | undefined> {
  const { tesc: before } = head;
  const { tesc } = tick;
  if (tesc.public_key !== before.public_key || tesc.uid !== before.uid) return 'foreign';
  const depths = tesc.depth - before.depth;
  if (depths === 0) return tesc.sig === before.sig ? 'repeated' : 'fork';
  if (depths < 0) return tick.zeqond > head.zeqond ? 'fork' : 'repeated';
  if (depths > 1) return 'missing';
  if (tick.zeqond <= head.zeqond) return 'order';
  if (tesc.prev !== before.plat) return 'link';
  const link = concatBytes(hex(before.chain), hex(tesc.plat), uint(tick.zeqond, 8), utf8Bytes(tesc.uid));
  if (toHex(await sha256(link)) !== tesc.chain) return 'link';
  return gapFits(head.zeqond, tick) ? undefined : 'gap';
}

function gapFits(after: number, { zeqond, gap }: Tick): boolean {
  const missed = zeqond - after - 1;
  return gap === undefined ? missed === 0 : gap.after === after && gap.missed === missed;
}

function timeFieldsAgree({
  timestamp,
  zeqond,
  phase,
  phaseRadians: radians,
  ko42,
  frequency,
}: Tick): boolean {
  const ms = Math.round(timestamp * 1000);
  return (
    ms / 1000 === timestamp &&
    zeqond === zeqondOf(ms) &&
    phase === phaseOf(ms) &&
    radians === phaseRadians(ms) &&
    Math.abs(ko42 - ko42Of(ms)) <= KO42_TOLERANCE &&
    frequency === PULSE_HZ
  );
}

async function signatureHolds(tick: AttestedTick): Promise<boolean> {
  const { tesc, zeqond } = tick;
  const signed = concatBytes(
    HEAD_LABEL,
    uint(tesc.depth, 8),
    uint(zeqond, 8),
    hex(tesc.prev),
    hex(tesc.plat),
    hex(tesc.chain),
    await sha256(contentOf(tick)),
    utf8Bytes(tesc.uid),
  );
  const key = await crypto.subtle.importKey('raw', hex(tesc.public_key), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, hex(tesc.sig), signed);
}

/** The 81 bytes that PLAT and signature bind. */
function contentOf({ timestamp, zeqond, connections, gap, bound }: Tick): Bytes {
  return concatBytes(
    CONTENT_LABEL,
    uint(Math.round(timestamp * 1000), 8),
    uint(zeqond, 8),
    uint(connections, 4),
    uint(gap === undefined ? 0 : GAP_CODES[gap.reason], 1),
    uint(gap?.after ?? 0, 8),
    uint(gap?.missed ?? 0, 8),
    bound === undefined ? new Uint8Array(32) : hex(bound),
  );
}

const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** Big-endian, unsigned; `length` is 1, 4 or 8 bytes. */
function uint(value: number, length: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes.slice(8 - length);
}

const hex = (text: string): Bytes =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const toHex = (bytes: Bytes): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
