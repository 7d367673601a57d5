import { SUMMARY_MINUTES, type UsageSummary } from '@zeq/contracts';
import type { MinuteCount } from '../store/usage-store.ts';

const MINUTE_MS = 60_000;

/** The first of the minutes that a summary shows; the last one is the present one. */
export const summaryFrom = (now: Date): Date =>
  new Date((Math.floor(now.getTime() / MINUTE_MS) - SUMMARY_MINUTES + 1) * MINUTE_MS);

/** Calls and errors by minute, of every API that was called. */
export function summarize(from: Date, counts: readonly MinuteCount[]): UsageSummary {
  const byApi = new Map<string, UsageSummary['apis'][number]>();
  for (const { apiId, at, requests, errors } of counts) {
    const minute = Math.floor((at.getTime() - from.getTime()) / MINUTE_MS);
    if (minute >= SUMMARY_MINUTES) continue; // a forwarder's clock is ahead of ours
    let api = byApi.get(apiId);
    if (api === undefined) {
      api = { api_id: apiId, requests: zeros(), errors: zeros() };
      byApi.set(apiId, api);
    }
    api.requests[minute]! += requests;
    api.errors[minute]! += errors;
  }
  return { from: from.toISOString(), apis: [...byApi.values()] };
}

const zeros = (): number[] => new Array<number>(SUMMARY_MINUTES).fill(0);
