import { ActivityPage, ActivityQuery } from './activity.ts';
import { AuditGrowth, AuditHeadQuery, AuditPage, AuditQuery } from './audit.ts';
import type { RouteSpec } from './routes.ts';
import { Usage, UsageQuery, UsageSummary } from './usage.ts';

const usage = { method: 'GET', service: 'byok-vault', audience: 'owner', tag: 'usage' } as const;

/** The summary is not below `/api/zeq/apis/:slug`: an API may be named `usage`. */
export const USAGE_ROUTES: readonly RouteSpec[] = [
  {
    ...usage,
    path: '/api/zeq/usage/:slug',
    summary: 'Calls and errors of the last hour, by minute, of every API that was called',
    success: { status: 200, body: UsageSummary },
  },
  {
    ...usage,
    path: '/api/zeq/apis/:slug/:id/usage',
    summary: 'How much one API was used: counts, bytes, latency, model tokens; as JSON or CSV',
    query: UsageQuery,
    success: { status: 200, body: Usage },
  },
  {
    ...usage,
    path: '/api/zeq/apis/:slug/:id/activity',
    summary: 'Its latest calls, one by one; as JSON or CSV',
    query: ActivityQuery,
    success: { status: 200, body: ActivityPage },
  },
  {
    ...usage,
    path: '/api/zeq/apis/:slug/:id/audit',
    summary:
      'Every use of its credential and every change to it, each with its proof; by its id after it was removed, too',
    tag: 'audit',
    query: AuditQuery,
    success: { status: 200, body: AuditPage },
  },
  {
    ...usage,
    path: '/api/zeq/audit/head',
    audience: 'bearer',
    summary: 'Where the audit log stands, and that it only grew since an earlier size',
    tag: 'audit',
    query: AuditHeadQuery,
    success: { status: 200, body: AuditGrowth },
  },
];
