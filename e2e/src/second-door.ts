import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../dev/runtime.ts';
import { freePorts, type TestMesh } from './test-mesh.ts';
import { until } from './until.ts';

/** A second gateway with a second forwarder behind it, on the same vault: what a replica is. */
export interface SecondDoor {
  gateway: string;
  stop: () => Promise<void>;
}

const SERVICES = fileURLToPath(new URL('../../services/', import.meta.url));

/** Starts the replica and waits until it is ready. */
export async function openSecondDoor(mesh: TestMesh, allow: string[]): Promise<SecondDoor> {
  const { dataDir, ports } = mesh.mesh;
  const secrets = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>;
  const [gatewayPort, forwarderPort] = await freePorts(2);
  const shared = {
    PATH: process.env.PATH,
    ZEQ_INTERNAL_SECRET: secrets.ZEQ_INTERNAL_SECRET,
    VAULT_URL: `http://127.0.0.1:${ports.VAULT_PORT}`,
    ZEQ_EGRESS_ALLOW: allow.join(','),
    LOG_LEVEL: 'warn',
    ZEQ_DATA_DIR: dataDir,
  };
  const { JWT_SECRET, ZEQ_API_KEYS, ZEQ_ADMIN_KEYS } = secrets;
  const gatewayEnv = {
    GATEWAY_PORT: `${gatewayPort}`,
    FORWARDER_URL: `http://127.0.0.1:${forwarderPort}`,
    RATE_LIMIT_RPM: '1000000',
    ...{ JWT_SECRET, ZEQ_API_KEYS, ZEQ_ADMIN_KEYS },
  };
  const children = [
    start('forwarder', { ...shared, FORWARDER_PORT: `${forwarderPort}` }),
    start('gateway', { ...shared, ...gatewayEnv }),
  ];
  const gateway = `http://127.0.0.1:${gatewayPort}`;
  const stop = async () => {
    for (const child of children) await end(child);
  };
  try {
    for (const port of [forwarderPort, gatewayPort])
      await until(() => isReady(`http://127.0.0.1:${port}`), 60_000);
  } catch (err) {
    await stop();
    throw err;
  }
  return { gateway, stop };
}

const start = (name: string, env: NodeJS.ProcessEnv) =>
  spawn(process.execPath, [...NODE_FLAGS, join(SERVICES, name, 'src/main.ts')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

async function isReady(service: string): Promise<boolean> {
  try {
    const answer = await fetch(`${service}/ready`);
    await answer.body?.cancel();
    return answer.ok;
  } catch (err) {
    if ((err as Error).name === 'TypeError') return false; // nobody listens yet; jest has a TypeError of its own
    throw err;
  }
}
