import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, safeError } from '@zeq/service-kit';
import type { Standing } from '../leases/vault-client.ts';
import type { LiveCalls } from './live-calls.ts';

/** The vault is often away just when changes were missed: it is asked again until it answers (ms). */
const ASK_AGAIN_MS = 1_000;
/** As many ids as one question may hold. */
const BATCH = 1_000;

/**
 * Changes may have been missed: finds out whether the APIs, keys and tokens of the open calls still stand, and cuts the calls whose
 * ground is gone. Calls that were opened later stand on what was asked later.
 */
export async function recheckOpenCalls(
  vault: Standing,
  live: LiveCalls,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let left = live.grounds(); left.length > 0 && !signal.aborted; left = left.slice(BATCH)) {
    const ids = left.slice(0, BATCH);
    for (const id of await goneOf(vault, ids, log, signal)) live.cutOn(id);
  }
}

async function goneOf(vault: Standing, ids: string[], log: Logger, signal: AbortSignal): Promise<string[]> {
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      return await vault.gone(ids);
    } catch (err) {
      const level = tries === 0 ? 'warn' : 'debug';
      log[level]({ err: safeError(err) }, 'open calls cannot be checked again yet');
      await sleep(ASK_AGAIN_MS, undefined, { signal }).catch(() => undefined); // ended: the loop sees it
    }
  }
  return [];
}
