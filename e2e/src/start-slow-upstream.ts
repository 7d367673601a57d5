import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePorts } from './test-mesh.ts';
import { until } from './until.ts';

export interface SlowUpstream {
  port: number;
  stop: () => Promise<void>;
}

/** The slow upstream in a process of its own, so that it takes no time from who measures. */
export async function startSlowUpstream(): Promise<SlowUpstream> {
  const [port] = (await freePorts(1)) as [number];
  const program = fileURLToPath(new URL('./slow-upstream.ts', import.meta.url));
  const child = spawn(process.execPath, [program, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] });
  await until(() => listens(port), 20_000);
  return { port, stop: () => stopped(child) };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    throw err;
  } finally {
    socket.destroy();
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill();
  await gone;
}
