import type { AuditHead } from '@zeq/contracts';
import { type AttestedTick, checkTickOnWeb, type Tick, tickBindsHead } from '@zeq/crypto/web';
import type { Fault } from './fault.ts';

/** Where ticks come from. */
export interface ClockSource {
  /** The first ticks after a Zeqond. */
  ticksAfter: (zeqond: number) => Promise<Tick[]>;
  /** The latest ticks; none where no clock attests. */
  latestTicks: () => Promise<Tick[]>;
  /** The key under which this page has seen ticks before. */
  knownKey: () => string | undefined;
  /** Until something may have come; the next tick is less than a Zeqond away. */
  wait: () => Promise<void>;
}

/**
 * What the clock says of a head. `unvouched`: this mesh has no clock that binds its log. `waiting`: no tick has bound it within some
 * seconds.
 */
export type Vouch =
  | { state: 'verified'; tick: AttestedTick }
  | { state: 'unvouched' }
  | { state: 'waiting' }
  | { state: 'failed'; fault: Fault };

/** × what `wait` takes. */
const TRIES = 15;
/** After a head was taken, so many ticks may bind the one before: answers get lost. */
const ENOUGH_OTHERS = 3;

/** Finds the tick that binds a head, and checks it. It is waited for. */
export async function vouchFor(head: AuditHead, clock: ClockSource): Promise<Vouch> {
  if (head.zeqond === null) return unclosed(clock);
  for (let asked = 0; asked < TRIES; asked++) {
    if (asked > 0) await clock.wait();
    const found = await lookAmong(await clock.ticksAfter(head.zeqond), head, clock.knownKey());
    if (found !== undefined) return found;
  }
  return { state: 'waiting' };
}

/** No clock has taken this head. Where one binds another one at this moment, that would only be an excuse. */
async function unclosed(clock: ClockSource): Promise<Vouch> {
  for (const tick of await clock.latestTicks())
    if (tick.bound !== undefined && (await checkTickOnWeb(tick)) === undefined) return failed('head');
  return { state: 'unvouched' };
}

async function lookAmong(
  ticks: readonly Tick[],
  head: AuditHead,
  knownKey: string | undefined,
): Promise<Vouch | undefined> {
  let others = 0;
  for (const tick of ticks) {
    if (tick.bound === undefined) continue;
    const isBound = await tickBindsHead(tick as AttestedTick, head);
    if (isBound) return judge(tick, knownKey);
    if ((await checkTickOnWeb(tick)) === undefined) others += 1;
  }
  return others >= ENOUGH_OTHERS ? failed('head') : undefined;
}

async function judge(tick: Tick, knownKey: string | undefined): Promise<Vouch> {
  if ((await checkTickOnWeb(tick)) !== undefined) return failed('signature');
  const attested = tick as AttestedTick;
  const isKnown = knownKey === undefined || knownKey === attested.tesc.public_key;
  return isKnown ? { state: 'verified', tick: attested } : failed('key');
}

const failed = (step: Fault['step']): Vouch => ({ state: 'failed', fault: { step } });
