import { performance } from 'node:perf_hooks';
import type { ServiceName } from '@zeq/contracts';
import type { RequestHandler } from 'express';
import { Pool } from 'undici';
import { z } from 'zod';
import { placeOf } from '../config.ts';
import type { LocalRoutes } from '../control/control-plane.ts';

/** A service that is asked for its health and does not answer within this time counts as away (ms). */
const TIMEOUT_MS = 2_000;

const Health = z.object({ status: z.string(), version: z.string(), uptime: z.number() }).loose();
const Ready = z.object({ status: z.string(), missing: z.array(z.string()) });

interface Answer {
  reachable: boolean;
  ready: boolean;
  missing: string[];
  health: z.infer<typeof Health> | null;
  latency_ms: number;
}

/** `GET /api/zeq/admin/health`: every service's own health and readiness, asked at once. */
export function adminHealthRoutes(urls: Partial<Record<ServiceName, string>>): LocalRoutes {
  const services = Object.entries(urls);
  const show: RequestHandler = async function showHealthOfAll(_req, res) {
    const answers = await Promise.all(services.map(async ([name, url]) => [name, await ask(url)] as const));
    const allReady = answers.every(([, { ready }]) => ready);
    res.json({ status: allReady ? 'ok' : 'degraded', services: Object.fromEntries(answers) });
  };
  return { 'GET /api/zeq/admin/health': show };
}

async function ask(url: string): Promise<Answer> {
  const { origin, socketPath } = placeOf(url);
  const pool = new Pool(origin, { connections: 2, ...(socketPath !== undefined && { socketPath }) });
  const begun = performance.now();
  try {
    const [health, ready] = await Promise.all([get(pool, '/health', Health), get(pool, '/ready', Ready)]);
    const reachable = health !== null;
    return {
      reachable,
      ready: ready?.status === 'ready',
      missing: ready?.missing ?? [],
      health,
      latency_ms: since(begun),
    };
  } finally {
    await pool.destroy();
  }
}

/** @returns Null when the service is away or answers something else. */
async function get<T extends z.ZodType>(pool: Pool, path: string, schema: T): Promise<z.infer<T> | null> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { body } = await pool.request({ path, method: 'GET', signal });
    const parsed = schema.safeParse(await body.json());
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // away: that is the answer
  }
}

const since = (begun: number) => Math.round((performance.now() - begun) * 10) / 10;
