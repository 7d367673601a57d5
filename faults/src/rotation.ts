import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RotationStatus } from '@zeq/contracts';
import { Agent } from 'undici';
import { makeCall } from './load/call.ts';
import type { FaultMesh } from './mesh.ts';
import { expectJson, send, type Tenant } from './tenant.ts';

const PATH = '/api/zeq/admin/rotate-field-key';
const WRITERS = 8;

/** Registers this many APIs, several at a time. @throws Error when one is not taken. */
export async function fill(tenant: Tenant, rows: number): Promise<void> {
  const agent = new Agent({ connections: WRITERS });
  let left = rows;
  const write = async () => {
    while (left-- > 0) {
      const { registration, acknowledged } = tenant.nextRegistration();
      const call = await makeCall(agent, 'fill', 'fill', { ...registration, judge: acknowledged });
      if (call.outcome !== 'ok')
        throw new Error(`a registration was not taken: ${call.outcome} ${call.detail}`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  await agent.destroy();
}

/** A new master key in the vault, the old one beside it. */
export async function giveNewKey(mesh: FaultMesh): Promise<void> {
  const before = mesh.secrets.ZEQ_FIELD_KEY;
  mesh.secrets.ZEQ_FIELD_KEY = randomBytes(32).toString('hex');
  await mesh.restart('byok-vault', { ZEQ_FIELD_KEY: mesh.secrets.ZEQ_FIELD_KEY, ZEQ_FIELD_KEY_PREV: before });
}

/** The vault with the new key alone. @throws Error when it does not start: a row needs the old one. */
export const dropOldKey = (mesh: FaultMesh): Promise<void> =>
  mesh.restart('byok-vault', { ZEQ_FIELD_KEY_PREV: '' });

/** Asked of the vault by way of the gateway, as an operator does. */
export class RotationWatch {
  /** `rows_left` and `rows_failed` together, each time they were asked for: rows that still need the old key. */
  readonly lefts: number[] = [];
  readonly #mesh: FaultMesh;
  readonly #url: string;

  constructor(mesh: FaultMesh) {
    this.#mesh = mesh;
    this.#url = mesh.gateway + PATH;
  }

  async start(): Promise<RotationStatus> {
    return expectJson<RotationStatus>(202, await send(this.#url, 'POST', this.#headers()));
  }

  /** @returns undefined while the vault is away. */
  async look(): Promise<RotationStatus | undefined> {
    const answer = await send(this.#url, 'GET', this.#headers());
    if (answer.status === 503) return void (await answer.body?.cancel());
    const status = await expectJson<RotationStatus>(200, answer);
    this.lefts.push(status.rows_left + status.rows_failed);
    return status;
  }

  /** Looks again and again until nothing runs any more. @throws Error after ten minutes. */
  async untilDone(): Promise<RotationStatus> {
    const deadline = performance.now() + 600_000;
    for (;;) {
      const status = await this.look();
      if (status !== undefined && status.state !== 'running') return status;
      if (performance.now() > deadline) throw new Error('the rotation did not end within ten minutes');
      await sleep(100);
    }
  }

  /** The times at which more rows were left than before. */
  rises(): string[] {
    return this.lefts.flatMap((left, i) => {
      const before = this.lefts[i - 1];
      return before !== undefined && left > before ? [`${before} → ${left}`] : [];
    });
  }

  #headers(): Record<string, string> {
    return { 'x-admin-key': this.#mesh.secrets.ZEQ_ADMIN_KEYS };
  }
}
