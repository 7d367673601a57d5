import { createHash } from 'node:crypto';
import { AUDIT_HEAD_LABEL } from './audit-shape.ts';
import { assertLength } from './bytes.ts';
import { MERKLE_HASH_BYTES } from './merkle.ts';
import { uint64 } from './plat.ts';

/**
 * What a tick binds of the audit log: SHA-256("zeq/audit/v1" 00 (13 bytes) ‖ size (8, big-endian) ‖ root (32)).
 *
 * @param size Leaves of the log.
 */
export function auditHeadDigest(size: number, root: Uint8Array): Buffer {
  assertLength(root, MERKLE_HASH_BYTES, 'root');
  return createHash('sha256').update(AUDIT_HEAD_LABEL).update(uint64(size, 'size')).update(root).digest();
}
