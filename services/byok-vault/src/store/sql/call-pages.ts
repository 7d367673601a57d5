import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { HashedCall } from '@zeq/contracts';
import { z } from 'zod';
import { bytes } from './columns.ts';

/**
 * Deflated here, because a database that packs the text itself takes three times as long (pglz); as base64, because both drivers
 * write bytes as hexadecimal digits, one by one.
 *
 * @param calls JSON of each.
 */
export const packCalls = (calls: readonly string[]): string =>
  deflateRawSync(`[${calls.join(',')}]`, { level: 1 }).toString('base64');

const unpack = (packed: Buffer): unknown => JSON.parse(inflateRawSync(packed).toString('utf8'));

/** The column `calls` of a page. */
export const CallsColumn = bytes.transform(unpack).pipe(z.array(HashedCall));
