import type {
  ActivityPage,
  ActivityQuery,
  ApiView,
  AppToken,
  AuditGrowth,
  AuditPage,
  AuditQuery,
  ChainPage,
  Computation,
  DraftApiInput,
  MachineKey,
  MintedKey,
  MintedToken,
  MintKey,
  MintToken,
  OperatorDetails,
  OperatorSummary,
  PatchApi,
  RegisterApiInput,
  RotationStatus,
  SessionInfo,
  SyncStatus,
  TestCallInput,
  TestResult,
  Usage,
  UsageQuery,
  UsageSummary,
  VerifyAnswer,
} from '@zeq/contracts';
import { call } from './client.ts';

/**
 * The routes of the mesh that the page uses. Answers are typed by contracts and not parsed again: page and API are served by
 * one gateway of one release, and a schema library in the first load would cost every visitor a third of it.
 */
export type Api = ApiView;
export type Operator = OperatorSummary | OperatorDetails;

const part = encodeURIComponent;
const apis = (slug: string, ...rest: string[]) => ['/api/zeq/apis', slug, ...rest.map(part)].join('/');

export const sessionApi = {
  show: (signal?: AbortSignal) => call<SessionInfo>('GET', '/api/zeq/session', { signal }),
  /** The key travels once, in a header, and is not kept. */
  open: (machineKey: string) =>
    call<SessionInfo>('POST', '/api/zeq/session/cookie', {
      headers: { Authorization: `Bearer ${machineKey}` },
    }),
  renew: () => call<SessionInfo>('POST', '/api/zeq/session/cookie'),
  close: () => call<void>('DELETE', '/api/zeq/session/cookie'),
};

export const apiApi = {
  list: (slug: string, signal?: AbortSignal) => call<Api[]>('GET', apis(slug), { signal }),
  show: (slug: string, ref: string, signal?: AbortSignal) => call<Api>('GET', apis(slug, ref), { signal }),
  register: (slug: string, json: RegisterApiInput) => call<Api>('POST', apis(slug), { json }),
  patch: (slug: string, ref: string, json: PatchApi) => call<Api>('PATCH', apis(slug, ref), { json }),
  remove: (slug: string, ref: string) => call<void>('DELETE', apis(slug, ref)),
  test: (slug: string, ref: string, json: TestCallInput) =>
    call<TestResult>('POST', apis(slug, ref, 'test'), { json }),
  tryOut: (slug: string, api: DraftApiInput, test: TestCallInput) =>
    call<TestResult>('POST', apis(slug, 'test'), { json: { api, ...test } }),
};

export const tokenApi = {
  list: (slug: string, ref: string, signal?: AbortSignal) =>
    call<{ tokens: AppToken[] }>('GET', apis(slug, ref, 'tokens'), { signal }),
  mint: (slug: string, ref: string, json: MintToken) =>
    call<MintedToken>('POST', apis(slug, ref, 'tokens'), { json }),
  revoke: (slug: string, ref: string, id: string) => call<void>('DELETE', apis(slug, ref, 'tokens', id)),
};

/** A query without what is not asked for. */
type Query = Record<string, string | number | undefined>;
const withQuery = (path: string, query: Query): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
};

export const usageApi = {
  /** The last hour of every API. */
  summary: (slug: string, signal?: AbortSignal) =>
    call<UsageSummary>('GET', `/api/zeq/usage/${slug}`, { signal }),
  path: (slug: string, ref: string, query: UsageQuery) => withQuery(apis(slug, ref, 'usage'), query),
  show: (slug: string, ref: string, query: UsageQuery, signal?: AbortSignal) =>
    call<Usage>('GET', usageApi.path(slug, ref, query), { signal }),
};

export const activityApi = {
  path: (slug: string, ref: string, query: ActivityQuery) => withQuery(apis(slug, ref, 'activity'), query),
  list: (slug: string, ref: string, query: ActivityQuery, signal?: AbortSignal) =>
    call<ActivityPage>('GET', activityApi.path(slug, ref, query), { signal }),
};

export const auditApi = {
  list: (slug: string, ref: string, query: AuditQuery, signal?: AbortSignal) =>
    call<AuditPage>('GET', withQuery(apis(slug, ref, 'audit'), query), { signal }),
  growth: (since: number, signal?: AbortSignal) =>
    call<AuditGrowth>('GET', `/api/zeq/audit/head?since=${since}`, { signal }),
};

export const keyApi = {
  list: (slug: string, signal?: AbortSignal) =>
    call<{ keys: MachineKey[] }>('GET', `/api/zeq/machines/${slug}/keys`, { signal }),
  mint: (slug: string, json: Partial<MintKey>) =>
    call<MintedKey>('POST', `/api/zeq/machines/${slug}/keys`, { json }),
  revoke: (slug: string, id: string) => call<void>('DELETE', `/api/zeq/machines/${slug}/keys/${part(id)}`),
};

export interface OperatorPage {
  total: number;
  page: number;
  pages: number;
  operators: Operator[];
}

export const operatorApi = {
  browse: (query: Record<string, string>, signal?: AbortSignal) =>
    call<OperatorPage>('GET', `/api/zeq/operators?${new URLSearchParams(query)}`, { signal }),
  show: (id: string, signal?: AbortSignal) =>
    call<Operator>('GET', `/api/zeq/operators/${part(id)}`, { signal }),
  execute: (id: string, params: Record<string, number | string>) =>
    call<Computation>('POST', `/api/zeq/operators/execute?operator=${part(id)}`, { json: { params } }),
  verify: (computation: Computation) => call<VerifyAnswer>('POST', '/api/zeq/verify', { json: computation }),
};

const ROTATION = '/api/zeq/admin/rotate-field-key';
const asAdmin = (key: string) => ({ 'X-Admin-Key': key });
/** The operator's key is given with each call and kept nowhere here. */
export const rotationApi = {
  status: (key: string, signal?: AbortSignal) =>
    call<RotationStatus>('GET', ROTATION, { headers: asAdmin(key), signal }),
  start: (key: string) => call<RotationStatus>('POST', ROTATION, { headers: asAdmin(key) }),
  cancel: (key: string) => call<RotationStatus>('DELETE', ROTATION, { headers: asAdmin(key) }),
};

export const clockApi = {
  status: (signal?: AbortSignal) => call<SyncStatus>('GET', '/sync/status', { signal }),
  chain: (query: Query, signal?: AbortSignal) =>
    call<ChainPage>('GET', withQuery('/sync/chain', query), { signal }),
};

/** Where an app calls a registered API. */
export const forwardUrl = (slug: string, name: string): string =>
  `${location.origin}${apis(slug, name, 'forward')}`;
