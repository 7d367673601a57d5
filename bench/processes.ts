import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessSpec {
  command: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Processors it may run on, as taskset lists them. */
  cpus: string;
  /** It is up once something listens here. */
  port: number;
}

const started = new Set<ChildProcess>();

/** Starts a process on its processors and waits until it listens. @throws Error with its last words when it ends before. */
export async function startProcess({ command, env, cwd, cpus, port }: ProcessSpec): Promise<ChildProcess> {
  const child = spawn('taskset', ['-c', cpus, ...command], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  started.add(child);
  let words = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-2000);
  });
  const deadline = performance.now() + 30_000;
  while (!(await listensOn(port))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${command.join(' ')} does not listen on ${port}:\n${words}`);
    await sleep(50);
  }
  return child;
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  started.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

/** Stops whatever is still running, for the end of a run that failed. */
export const stopAllProcesses = () => Promise.all([...started].map(stopProcess));

/** Moves running processes, every thread of them, to other processors. */
export function pin(pids: readonly number[], cpus: string): void {
  for (const pid of pids) execFileSync('taskset', ['-acp', cpus, String(pid)], { stdio: 'ignore' });
}

async function listensOn(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw err;
    return false;
  } finally {
    socket.destroy();
  }
}

/** Ports that nobody listens on; all are held at once while they are chosen. */
export async function freePorts(count: number): Promise<number[]> {
  const held = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(held.map((server) => once(server, 'listening')));
  const ports = held.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  return ports;
}
