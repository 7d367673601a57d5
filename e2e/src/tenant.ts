import type { ApiView, RegisterApi } from '@zeq/contracts';
import { type RawTarget, rawTarget } from './raw-call.ts';
import { expectStatus, type TestMesh } from './test-mesh.ts';

/** A machine of its own with one API that leads to a port of this computer. */
export async function newTenant(
  { mesh, call, createMachine }: TestMesh,
  slug: string,
  port: number,
  policy: RegisterApi['policy'] = {},
): Promise<RawTarget> {
  const { api_key: token } = await createMachine(slug);
  const json = {
    name: 'up',
    base_url: `http://127.0.0.1:${port}`,
    auth_header: 'X-Key: canary-7d1f3b9c5e2a8f604b6d',
    rate_limit_per_min: 1_000_000,
    policy,
  };
  await expectStatus<ApiView>(201, await call('POST', `/api/zeq/apis/${slug}`, { token, json }));
  return rawTarget(`${mesh.gateway}/api/zeq/apis/${slug}/up/forward`, token);
}
