import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Caller, ServiceName } from '@zeq/contracts';
import { INTERNAL_SECRET, serviceToken } from './callers.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A vault as a process of its own, so that it can be killed. */
export class VaultProcess {
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #errors = '';
  #url = '';

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = { PATH: process.env.PATH, LOG_LEVEL: 'warn', ZEQ_INTERNAL_SECRET: INTERNAL_SECRET, ...env };
  }

  /** Starts it and waits until it is ready. @returns How long that took, in ms. */
  async start(): Promise<number> {
    const startedAt = performance.now();
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    const env = { ...this.#env, VAULT_PORT: String(port) };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    this.#errors = '';
    child.stderr.on('data', (chunk) => {
      this.#errors += chunk;
    });
    while (!(await this.#isReady())) {
      if (child.exitCode !== null) throw new Error(`the vault ended: ${this.#errors}`);
      await new Promise((done) => setTimeout(done, 20));
    }
    return performance.now() - startedAt;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.isRunning) return;
    this.#child?.kill(signal);
    await once(this.#child!, 'exit');
  }

  /** @typeParam T What the test expects; it checks the fields it uses. */
  async call<T = unknown>(method: string, path: string, caller: Caller, options: CallOptions = {}) {
    const { body, iss = 'gateway', leaseKey } = options;
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        'x-zeq-service': serviceToken(caller, iss, leaseKey),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? null : JSON.parse(text)) as T,
    };
  }

  async #isReady(): Promise<boolean> {
    return fetch(`${this.#url}/ready`).then(
      (response) => response.ok,
      () => false,
    );
  }
}

interface CallOptions {
  body?: unknown;
  iss?: ServiceName;
  leaseKey?: string;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}
