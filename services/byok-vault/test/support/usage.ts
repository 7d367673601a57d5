import type { RecordedCall, UsageBatch, UsageMinute } from '@zeq/contracts';
import { newId } from '@zeq/crypto';

export const newInstance = (): string => newId('key').slice(4);

/** Three calls of one minute: two answered, one refused. */
export const newMinute = (apiId: string, minute: number, over: Partial<UsageMinute> = {}): UsageMinute => ({
  api_id: apiId,
  minute,
  requests: 3,
  sent: 2,
  status: { '1xx': 0, '2xx': 2, '3xx': 0, '4xx': 1, '5xx': 0, none: 0 },
  errors: 1,
  aborted: 0,
  refused: { rate_limited: 1 },
  websockets: 0,
  tests: 0,
  bytes_in: 10,
  bytes_out: 2 ** 40,
  latency: { '40': 1, '100': 1 },
  tokens_in: 5,
  tokens_out: 7,
  ...over,
});

export const newCall = (apiId: string, over: Partial<RecordedCall> = {}): RecordedCall => ({
  api_id: apiId,
  at: Date.parse('2026-01-02T03:04:05.678Z'),
  kind: 'call',
  caller_id: newId('key'),
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  outcome: 'ok',
  code: null,
  duration_ms: 12.5,
  bytes_in: 100,
  bytes_out: 2000,
  tokens_in: 5,
  tokens_out: null,
  request_id: 'req-1',
  ...over,
});

export const newBatch = (
  parts: Partial<UsageBatch>,
  instance: string = newInstance(),
  seq = 1,
): UsageBatch => ({ instance, seq, minutes: [], calls: [], ...parts });
