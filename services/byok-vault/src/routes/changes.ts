import type { ServerResponse } from 'node:http';
import type { ChangeLine } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { ChangeHub } from '../leases/change-hub.ts';
import type { VaultMetrics } from '../metrics.ts';

/** A reader that lets this much (bytes) pile up is dropped; it comes back and resumes or starts anew. */
const MAX_BUFFERED_BYTES = 262_144;

const FeedQuery = z.strictObject({
  since: z.coerce.number().int().min(0).optional(),
  epoch: z.string().max(64).optional(),
});

/** `GET /internal/changes`: newline-delimited JSON that ends only when one side leaves. */
export function streamChanges(hub: ChangeHub, metrics: VaultMetrics): RequestHandler {
  return async function stream(req, res) {
    const { since: seq, epoch } = parseInput(FeedQuery, req.query, 'invalid_query');
    const since = seq === undefined || epoch === undefined ? undefined : { seq, epoch };
    const stop = await hub.follow(since, { tell: (lines) => writeLines(res, lines), end: () => res.end() });
    if (res.destroyed) return stop();
    metrics.feedReaders.inc();
    res.once('close', () => {
      stop();
      metrics.feedReaders.dec();
    });
  };
}

function writeLines(res: ServerResponse, lines: readonly ChangeLine[]): void {
  if (res.destroyed) return;
  if (!res.headersSent)
    res.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
  res.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  if (res.writableLength > MAX_BUFFERED_BYTES) res.destroy();
}
