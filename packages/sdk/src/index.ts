/** The door of the package: it runs in Node and in browsers, and loads nothing of Node. */
export type {
  ActivityEntry,
  ActivityPage,
  ApiView,
  AppToken,
  AuditEntry,
  AuditGrowth,
  AuditHead,
  AuditPage,
  Computation,
  Machine,
  MachineKey,
  MintedKey,
  MintedToken,
  MintToken,
  PatchApi,
  ProblemCode,
  RegisterApiInput,
  SessionInfo,
  SyncStatus,
  TescMessage,
  TestCallInput,
  TestResult,
  Tick,
  Usage,
  UsageSummary,
} from '@zeq/contracts';
export { type TickFault, TickFollower } from '@zeq/crypto/web';
export type { AuditVerdict, CheckOptions, EntryFault, HeadFault, PinnedClock } from './audit/check-page.ts';
export type { CallOptions } from './client/core.ts';
export { type ClientOptions, createClient, type ZeqClient } from './client/create-client.ts';
export type { ForwardOptions } from './client/forward.ts';
export { meshErrorOf } from './client/problem.ts';
export type { Body } from './client/transport.ts';
export { type ClientErrorCode, ZeqError, type ZeqErrorFacts } from './client/zeq-error.ts';
export type { FollowedTick, FollowOptions } from './clock/follow-ticks.ts';
export type { Credential } from './resources/apis.ts';
export { TescChannelClient, type TescMember, type TescReceived } from './tesc/channel.ts';
export type * from './wire.ts';
