/** The part of this package that runs in browsers as well as in Node: it uses WebCrypto and nothing of Node. */
export type { AuditChangeLeaf, AuditEntry, AuditHead, AuditPageLeaf } from '../audit-shape.ts';
export { canonicalJson } from '../canonical.ts';
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
} from '../clock.ts';
export { type Bytes, bytesOfHex, concatBytes, hexOf, utf8Bytes } from '../encoding.ts';
export { HiteError, type HiteErrorCode } from '../hite-error.ts';
export {
  HITE_FRAME_OVERHEAD,
  HITE_MAX_PART_BYTES,
  HITE_NONCE_BYTES,
  type HitePartKind,
} from '../hite-layout.ts';
export { type LandauerCertificate, landauerCertificate } from '../landauer.ts';
export type { AttestedTick, Tick, TickFault } from '../tick-shape.ts';
export {
  type AuditFault,
  auditHeadDigestOnWeb,
  checkAuditEntry,
  logHasGrown,
  tickBindsHead,
} from './audit-proof.ts';
export { ByteReader, type ByteSource, chunksOf } from './byte-reader.ts';
export {
  deriveHiteClientSession,
  type HiteClientPart,
  type HiteClientSession,
  openHiteAnswer,
  sealHiteClientRequest,
} from './hite-client.ts';
export {
  deriveTescClientKeys,
  newTescClientUid,
  openTescMessage,
  sealTescMessage,
  TescClientError,
  type TescClientKeys,
  type TescPlace,
  type TescSealed,
  tescJoinPlat,
  tescMessagePlat,
  verifyTescMessage,
} from './tesc-client.ts';
export { checkLinkOnWeb, checkTickOnWeb, type FollowerOptions, TickFollower } from './tick-follower.ts';
export {
  encryptZeqFile,
  type OpenedZeqFile,
  openZeqFile,
  type ZeqFileMetadata,
  zeqFileMetadata,
} from './zeq-file.ts';
export { ZeqFileError, type ZeqFileFault } from './zeq-file-error.ts';
export { MIN_PASSPHRASE_CHARS, MIN_ZEQ_FILE_ROUNDS, ZEQ_FILE_ROUNDS } from './zeq-file-header.ts';
