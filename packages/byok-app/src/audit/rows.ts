import type { AuditEntry } from '@zeq/contracts';

/** An entry by its place in the log: a leaf holds many calls, or one change. */
export const rowId = (entry: AuditEntry): string =>
  entry.kind === 'call' ? `${entry.leaf}.${entry.number}` : String(entry.leaf);

/** When it happened: the moment is part of what was hashed. */
export const momentOf = (entry: AuditEntry): string =>
  entry.kind === 'call' ? new Date(entry.call.at).toISOString() : entry.change.at;
