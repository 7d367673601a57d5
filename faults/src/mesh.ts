import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '@zeq/contracts';
import { environmentOf } from '../../dev/mesh.ts';
import { type DevSecrets, loadDevSecrets } from '../../dev/secrets.ts';
import { SERVICES, type ServiceSpec } from '../../dev/services.ts';
import { Supervised } from '../../dev/supervisor.ts';
import { freePorts } from '../../e2e/src/test-mesh.ts';
import { until } from '../../e2e/src/until.ts';
import { TcpProxy } from './tcp-proxy.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLOCK_JUMP = new URL('./clock-jump.ts', import.meta.url).href;
const READY_MS = 60_000;

/** A moment at which something was done to a process, and when it had taken effect (monotonic ms). */
export interface Fault {
  what: string;
  at: number;
  seenAt: number;
}

/** From when on a service was not there, until it was ready again (monotonic ms). */
export interface Outage {
  name: ServiceName;
  at: number;
  backAt: number;
}

export interface Replica {
  url: string;
  jumpClock: () => void;
  stop: () => Promise<void>;
}

export interface MeshOptions {
  /** Data, logs and secrets. */
  folder: string;
  /** Variables for all services; each gets those that its own configuration names. */
  env: Record<string, string>;
  only?: readonly ServiceName[] | undefined;
  /** Services are reached through a door that can be turned to another process, as nginx does while a version is rolled out. */
  doors?: boolean | undefined;
}

/**
 * The real services as processes that can be hurt. One that dies is started again at once, which is what a container runtime
 * does; one that is put down stays down until it is put up.
 */
export class FaultMesh {
  readonly folder: string;
  readonly ports: Record<string, number>;
  readonly secrets: DevSecrets;
  /** Every end of a process that nobody here caused. */
  readonly surprises: string[] = [];
  readonly outages: Outage[] = [];
  readonly #env: Record<string, string>;
  readonly #processes = new Map<ServiceName, Supervised>();
  readonly #exits = new EventEmitter();
  readonly #expected = new Set<string>();
  readonly #names: readonly ServiceName[];
  readonly #doors = new Map<ServiceName, TcpProxy>();

  private constructor(options: MeshOptions, ports: Record<string, number>) {
    this.folder = options.folder;
    this.ports = ports;
    this.secrets = loadDevSecrets(options.folder, {});
    this.#names = SERVICES.map(({ name }) => name).filter((name) => options.only?.includes(name) ?? true);
    const urls = SERVICES.map(({ urlVariable, portVariable }) => [
      urlVariable,
      `http://127.0.0.1:${ports[portVariable]}`,
    ]);
    this.#env = {
      PATH: process.env.PATH ?? '',
      ...Object.fromEntries(urls),
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...this.secrets,
      ZEQ_DATA_DIR: options.folder,
      RATE_LIMIT_RPM: '1000000000',
      ...options.env,
    };
  }

  static async start(options: MeshOptions): Promise<FaultMesh> {
    const names = SERVICES.map(({ portVariable }) => portVariable);
    const ports = await freePorts(names.length);
    const mesh = new FaultMesh(options, Object.fromEntries(names.map((name, i) => [name, ports[i]!])));
    try {
      if (options.doors) await mesh.#openDoors();
      await mesh.startAll();
    } catch (err) {
      await mesh.stop();
      throw err;
    }
    return mesh;
  }

  get gateway(): string {
    return this.urlOf('gateway');
  }

  get logFolder(): string {
    return join(this.folder, 'logs');
  }

  urlOf(name: ServiceName): string {
    return `http://127.0.0.1:${this.ports[specOf(name).portVariable]}`;
  }

  /** Of the services that run here. */
  pids(): Record<string, number> {
    return Object.fromEntries([...this.#processes].map(([name, { pid }]) => [name, pid!]));
  }

  /** SIGKILL; the process is started again. @returns When it was sent, and when the process was gone. */
  async kill(name: ServiceName): Promise<Fault> {
    this.#expected.add(name);
    const gone = once(this.#exits, name);
    const at = this.#gone(name);
    process.kill(this.#pid(name), 'SIGKILL');
    await gone;
    return { what: `${name} killed`, at, seenAt: performance.now() };
  }

  /** Another process of a service, beside the first, on a port of its own; `jumpClock` sets its clock an hour ahead, and back. */
  async replica(name: ServiceName): Promise<Replica> {
    const [port] = (await freePorts(1)) as [number];
    const url = `http://127.0.0.1:${port}`;
    const env = await environmentOf(specOf(name), {
      ...this.#env,
      [specOf(name).portVariable]: String(port),
    });
    const spec = {
      name: `${name}-2`,
      program: programOf(name),
      healthUrl: `${url}/health`,
      env: { ...env, NODE_OPTIONS: `--import=${CLOCK_JUMP}` },
    };
    const onRestart = (_name: string, how: string) => void this.surprises.push(`${name}-2 ended (${how})`);
    const process_ = new Supervised(spec, { logDir: this.logFolder, onRestart });
    await process_.start();
    await until(() => isReady(url), READY_MS);
    const jumpClock = () => void process.kill(process_.pid!, 'SIGUSR2');
    return { url, jumpClock, stop: () => process_.stop() };
  }

  /** Stops a process for a while as it stands (SIGSTOP), and lets it go on. */
  async freeze(name: ServiceName, forMs: number): Promise<Fault> {
    const pid = this.#pid(name);
    const at = performance.now();
    process.kill(pid, 'SIGSTOP');
    await sleep(forMs);
    process.kill(pid, 'SIGCONT');
    return { what: `${name} frozen`, at, seenAt: performance.now() };
  }

  /** Kills a process that then stays away. */
  async down(name: ServiceName): Promise<Fault> {
    const process_ = this.#processes.get(name)!;
    const at = this.#gone(name);
    const stopped = process_.stop();
    process.kill(process_.pid!, 'SIGKILL');
    await stopped;
    return { what: `${name} down`, at, seenAt: performance.now() };
  }

  /** Starts a process, with other variables than before where some are given, and waits until it is ready. */
  async up(name: ServiceName, env: Record<string, string> = {}): Promise<void> {
    Object.assign(this.#env, env);
    const { portVariable } = specOf(name);
    const port = this.#doors.has(name) ? (await freePorts(1))[0]! : this.ports[portVariable]!;
    const url = `http://127.0.0.1:${port}`;
    const process_ = new Supervised(
      {
        name,
        program: programOf(name),
        healthUrl: `${url}/health`,
        env: await environmentOf(specOf(name), { ...this.#env, [portVariable]: String(port) }),
      },
      { logDir: this.logFolder, onRestart: (_name, how) => this.#onExit(name, how) },
    );
    const before = this.#processes.get(name);
    this.#processes.set(name, process_);
    await process_.start().catch((err: unknown) => {
      if (before !== undefined) this.#processes.set(name, before);
      throw err;
    });
    await until(() => isReady(url), READY_MS);
    const door = this.#doors.get(name);
    if (door !== undefined) door.target = port;
    this.#back(name);
  }

  /** Starts a process with other variables beside the one there is, turns the door to it, and lets the old one end in order. */
  async replace(name: ServiceName, env: Record<string, string>): Promise<void> {
    const before = this.#processes.get(name);
    await this.up(name, env);
    await before?.stop();
  }

  /** An orderly restart with other variables: SIGTERM, then `up`. */
  async restart(name: ServiceName, env: Record<string, string> = {}): Promise<void> {
    this.#gone(name);
    await this.#processes.get(name)?.stop();
    await this.up(name, env);
  }

  /** @returns Milliseconds until the service said that it is ready. */
  async ready(name: ServiceName): Promise<number> {
    const took = await until(() => isReady(this.urlOf(name)), READY_MS);
    this.#back(name);
    return took;
  }

  /** Starts all of them at once, in no order. */
  async startAll(env: Record<string, string> = {}): Promise<void> {
    Object.assign(this.#env, env);
    const results = await Promise.allSettled(this.#names.map((name) => this.up(name)));
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length > 0) throw new Error(failed.map(({ reason }) => (reason as Error).message).join('\n'));
  }

  async stop(): Promise<void> {
    for (const process_ of [...this.#processes.values()].toReversed()) await process_.stop();
    await Promise.all([...this.#doors.values()].map((door) => door.close()));
    this.#doors.clear();
  }

  async #openDoors(): Promise<void> {
    for (const name of this.#names) {
      const door = new TcpProxy(0);
      this.#doors.set(name, await door.open(this.ports[specOf(name).portVariable]));
    }
  }

  #gone(name: ServiceName): number {
    const at = performance.now();
    this.outages.push({ name, at, backAt: Number.POSITIVE_INFINITY });
    return at;
  }

  #back(name: ServiceName): void {
    const now = performance.now();
    for (const outage of this.outages) if (outage.name === name && outage.backAt > now) outage.backAt = now;
  }

  #pid(name: ServiceName): number {
    return this.#processes.get(name)!.pid!;
  }

  #onExit(name: ServiceName, how: string): void {
    if (!this.#expected.delete(name)) this.surprises.push(`${name} ended (${how})`);
    this.#exits.emit(name);
  }
}

const programOf = (name: ServiceName): string => join(ROOT, 'services', name, 'src/main.ts');

const specOf = (name: ServiceName): ServiceSpec => SERVICES.find((spec) => spec.name === name)!;

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false; // not listening yet; the caller has a deadline
  }
}
