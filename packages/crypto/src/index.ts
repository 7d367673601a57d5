export { auditHeadDigest } from './audit.ts';
export type {
  AuditChangeLeaf,
  AuditEntry,
  AuditedCall,
  AuditedChange,
  AuditHead,
  AuditPageLeaf,
} from './audit-shape.ts';
export { assertLength, lengthPrefixed, wipe } from './bytes.ts';
export { canonicalJson } from './canonical.ts';
export { CHAIN_BYTES, type ChainLink, firstBrokenLink, genesisChain, nextChain } from './chain.ts';
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
  COMMITTED_OVERHEAD_BYTES,
  CommitmentError,
  openCommitted,
  sealCommitted,
} from './committed.ts';
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
export { HiteError, type HiteErrorCode } from './hite-error.ts';
export {
  type OpenedRequest,
  openHiteRequest,
  openHiteResponse,
  sealHiteRequest,
  sealHiteResponse,
} from './hite-frame.ts';
export {
  HITE_FRAME_OVERHEAD,
  HITE_MAX_COUNTER,
  HITE_MAX_PART_BYTES,
  HITE_NONCE_BYTES,
  HITE_PART,
  type HitePartKind,
} from './hite-layout.ts';
export { hiteSecretRefusal } from './hite-secret.ts';
export {
  answerHandshake,
  deriveHiteSession,
  HITE_SESSION_MS,
  type HiteHandshake,
  type HiteSession,
  hiteStoreKey,
  packHiteSession,
  unpackHiteSession,
} from './hite-session.ts';
export {
  type HitePart,
  HiteResponseOpener,
  HiteResponseSealer,
} from './hite-stream.ts';
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
export {
  foldSubtrees,
  MERKLE_HASH_BYTES,
  MerkleTree,
  merkleLeaf,
} from './merkle.ts';
export {
  consistencyRanges,
  inclusionRanges,
  type LeafRange,
  type Subtree,
  subtreesOf,
} from './merkle-shape.ts';
export {
  keyFromSecret,
  NO_PLAT,
  PLAT_BYTES,
  type PlatFields,
  platInput,
  platOf,
  verifyPlat,
} from './plat.ts';
export { REPLAY_WINDOW, ReplayWindow } from './replay-window.ts';
export { type Admission, isInWindow, SeenSet, WINDOW_ZEQONDS } from './seen-set.ts';
export {
  joinPlatFields,
  MAX_TESC_BYTES,
  type MessagePlace,
  MIN_TESC_SECRET_CHARS,
  messagePlat,
  messagePlatFields,
  newTescUid,
  openMessage,
  type SealedMessage,
  sealMessage,
  TESC_IV_BYTES,
  TescError,
  type TescKeys,
  tescKeys,
} from './tesc.ts';
export {
  type AttestedTick,
  attestTick,
  GAP_CODES,
  type Gap,
  type GapReason,
  type Head,
  plainTick,
  type SignedFields,
  signedBytes,
  type Tesc,
  TICK_CHANNEL,
  type Tick,
  type TickFacts,
  type TickSigner,
  tickContentDigest,
} from './tick.ts';
export {
  checkLink,
  checkTick,
  factsOf,
  headOf,
  type TickFault,
  TickVerifier,
  type VerifierOptions,
} from './tick-verifier.ts';
export { equalDigests, type MintedToken, mintToken, newId, sha256, sha256Hex } from './tokens.ts';
export {
  encryptZeqFile,
  MIN_PASSPHRASE_CHARS,
  MIN_ZEQ_FILE_ROUNDS,
  type OpenedZeqFile,
  openZeqFile,
  ZEQ_FILE_ROUNDS,
  ZeqFileError,
  type ZeqFileFault,
  type ZeqFileMetadata,
} from './web/index.ts';
export { agree, parsePublicKey, publicKeyText } from './x25519.ts';
