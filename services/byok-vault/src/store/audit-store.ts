import type { AuditChangeLeaf, HashedCall } from '@zeq/contracts';
import type { LeafRange, Subtree } from '@zeq/crypto';

/** What one leaf of the log says, as far as it is still kept. */
export type AuditRecord = { leaf: number; recordedAt: Date } & (
  | { kind: 'calls'; machineId: string; apiId: string; first: number; calls: HashedCall[] }
  | { kind: 'change'; change: AuditChangeLeaf }
);

/** The head that the clock took last. */
export interface ClosedHead {
  size: number;
  root: Buffer;
  /** The Zeqond in which it first took this one. */
  zeqond: number;
  /** When it last asked. */
  at: Date;
}

/** Which records: of one API, in a stretch of the log, recorded from a moment on and before another. */
export interface AuditSpan extends LeafRange {
  machineId: string;
  apiId: string;
  since: Date;
  until: Date;
}

/** The audit log: a Merkle tree that only grows, and what its leaves say. */
export interface AuditStore {
  /** Keeps a change, and appends its leaf when the transaction commits. */
  insertChange(change: AuditChangeLeaf): Promise<void>;
  /** Whose these APIs are; one that was removed was its machine's. */
  machinesOf(apiIds: readonly string[]): Promise<Map<string, string>>;
  /** The clock takes the head for its next tick. */
  close(zeqond: number, now: Date): Promise<ClosedHead>;
  /** Where the log stands, and where it stood when the clock took it last. */
  heads(): Promise<{ size: number; root: Buffer; closed: ClosedHead | undefined }>;
  /** The hashes of complete subtrees. @throws Error when the log lacks one: somebody has taken it out. */
  hashes(subtrees: readonly Subtree[]): Promise<Buffer[]>;
  /** In the order of the log, the oldest first, at most `limit`. */
  read(span: AuditSpan, limit: number): Promise<AuditRecord[]>;
  /** The page that holds a call. */
  findCall(machineId: string, apiId: string, number: number): Promise<AuditRecord | undefined>;
  /** Forgets what leaves say that were recorded before a moment; their hashes stay. @returns How many, at most `limit` of each kind. */
  forget(before: Date, limit: number): Promise<number>;
  /** Forgets what leaves say of a machine that is removed. */
  forgetMachine(machineId: string): Promise<void>;
}
