/** What the leaves of the audit log say. A leaf's data is the canonical JSON (RFC 8785) of one of these. */

export const AUDIT_HEAD_LABEL = 'zeq/audit/v1\0';

/** One leaf for the calls of an API that were reported together; they are the leaves of a tree of their own. */
export interface AuditPageLeaf {
  v: 1;
  kind: 'calls';
  machine_id: string;
  api_id: string;
  /** The number of the first of its calls: the numbers of an API rise by one from 1 on, so that a missing call shows. */
  first: number;
  calls: number;
  /** Root of the tree over its calls, hex. */
  root: string;
}

/** One leaf for a change: to a credential, or to who may use it. */
export interface AuditChangeLeaf {
  v: 1;
  kind: 'change';
  /** 16 random bytes as hex, so that nobody learns what a leaf says by trying. */
  id: string;
  /** RFC 3339, UTC, milliseconds. */
  at: string;
  what: string;
  /** Whose; null for what the operator did to all. */
  machine_id: string | null;
  /** The APIs that it concerns; null: all of the machine. */
  api_ids: string[] | null;
  /** The id of what was changed. */
  subject_id: string;
  by: { kind: string; id: string | null };
  details: Record<string, string | number | null | string[]>;
}

/** The log as it was closed. */
export interface AuditHead {
  size: number;
  /** Hex. */
  root: string;
  /** The Zeqond in which a clock first took it: the attested ticks after it bind it. Null where no clock does. */
  zeqond: number | null;
}

/** A call, and the way from it to the root of the log. */
export interface AuditedCall {
  kind: 'call';
  /** The place of its page in the log. */
  leaf: number;
  number: number;
  /** As it was hashed. */
  call: Record<string, unknown>;
  page: AuditPageLeaf;
  /** From the call to the root of its page, hex. */
  page_path: string[];
  /** From the page to the root of the log, hex. */
  path: string[];
}

export interface AuditedChange {
  kind: 'change';
  leaf: number;
  change: AuditChangeLeaf;
  path: string[];
}

export type AuditEntry = AuditedCall | AuditedChange;
