export { assertLength, lengthPrefixed, wipe } from './bytes.ts';
export { canonicalJson } from './canonical.ts';
export {
  KO42_ALPHA,
  ko42Of,
  modulationOf,
  PULSE_HZ,
  phaseOf,
  phaseRadians,
  ZEQOND_MS,
  zeqondOf,
  zeqondStartMs,
} from './clock.ts';
export {
  decryptField,
  encryptField,
  FIELD_IV_BYTES,
  FIELD_OVERHEAD_BYTES,
  FIELD_VERSION,
  FieldError,
  type FieldPlace,
  fieldAad,
  MAX_FIELD_BYTES,
  type SealedField,
} from './field.ts';
export {
  freshIv,
  GCM_IV_BYTES,
  GCM_KEY_BYTES,
  GCM_TAG_BYTES,
  GcmError,
  gcmOpen,
  gcmSeal,
} from './gcm.ts';
export { type FieldKey, KeyRing, type KeyScope, kidOf } from './key-ring.ts';
export { type LandauerCertificate, landauerCertificate, landauerHeaders } from './landauer.ts';
export { LeaseError, LeaseRecipient, OpenedLease, type SealedLease, sealLease } from './lease.ts';
export {
  MASTER_KEY_BYTES,
  MASTER_KEY_REFUSALS,
  type MasterKeyRefusal,
  type ParsedMasterKey,
  parseMasterKey,
} from './master-key.ts';
export { equalDigests, type MintedToken, mintToken, newId, sha256, sha256Hex } from './tokens.ts';
export { agree, parsePublicKey, publicKeyText } from './x25519.ts';
