import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A request that a load generator repeats. */
export interface Target {
  port: number;
  path: string;
  headers: Record<string, string>;
}

export interface WrkResult {
  requests: number;
  durationUs: number;
  /** Answers with a status above 399. */
  refused: number;
  /** Connections that failed, broke or timed out. */
  broken: number;
  p50Us: number;
  p99Us: number;
}

export interface Load {
  target: Target;
  body: string;
  connections: number;
  seconds: number;
  cpus: string;
}

/** Repeats a POST over a fixed number of connections, each sending the next as soon as it has its answer. */
export async function runWrk({ target, body, connections, seconds, cpus }: Load): Promise<WrkResult> {
  const script = fileURLToPath(new URL('./wrk.lua', import.meta.url));
  const url = `http://127.0.0.1:${target.port}${target.path}`;
  const how = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url];
  const lines = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`);
  const child = spawn('taskset', ['-c', cpus, ...how], {
    env: {
      PATH: process.env.PATH,
      BENCH_METHOD: 'POST',
      BENCH_BODY: body,
      BENCH_HEADERS: lines.join('\n'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk));
  await once(child, 'close');
  const result = /RESULT (\{.*\})/.exec(output)?.[1];
  if (result === undefined) throw new Error(`wrk gave no result: ${output}`);
  return JSON.parse(result) as WrkResult;
}
