import type { ClockOffset } from '@zeq/contracts';
import { isInWindow, phaseOf, ZEQOND_MS, zeqondOf } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';

/** How far a client's clock is off, as far as its Zeqond (and its phase, where it tells one) shows. */
export function clockOffset(nowMs: number, zeqond = zeqondOf(nowMs), phase?: number): ClockOffset {
  const serverZeqond = zeqondOf(nowMs);
  const drift = zeqond - serverZeqond;
  const clientMs = phase === undefined ? nowMs + drift * ZEQOND_MS : (zeqond + phase) * ZEQOND_MS;
  return { serverZeqond, serverPhase: phaseOf(nowMs), drift, correctionMs: Math.round(nowMs - clientMs) };
}

/** @throws ProblemError `zeqond_window_closed` for a Zeqond that is not the present one ±1. */
export function requireWindow(offset: ClockOffset, zeqond: number): void {
  if (isInWindow(zeqond, offset.serverZeqond)) return;
  throw new ProblemError(
    'zeqond_window_closed',
    'zeqond window closed: correct your clock by correctionMs and send again.',
    { members: { ...offset } },
  );
}
