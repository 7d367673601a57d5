import { setTimeout as sleep } from 'node:timers/promises';
import type { RotationStatus } from '@zeq/contracts';
import { type Logger, ProblemError, safeError } from '@zeq/service-kit';
import { type Actor, MESH, recordChange } from '../audit/record-change.ts';
import type { CredentialBox } from '../credentials/credential-box.ts';
import type { VaultMetrics } from '../metrics.ts';
import type { KidCount } from '../store/api-store.ts';
import type { Rotation } from '../store/rotation-store.ts';
import type { Store } from '../store/store.ts';
import { reencrypt } from './reencrypt.ts';

/** Rows per transaction: some 10 ms of work, so that a write to one of them waits no longer. */
const BATCH = 100;
/** How often a vault looks whether a run was started, here or at another vault (ms). */
const LOOK_EVERY_MS = 500;
const AFTER_FAILURE_MS = 1_000;
/** After a count, and when all that is left is held by others (ms). */
const WHILE_OTHERS_WORK_MS = 20;

export interface RotationDeps {
  store: Store;
  box: CredentialBox;
  metrics: VaultMetrics;
  log: Logger;
  now: () => Date;
}

/**
 * Moves every credential to the current master key while everything goes on. The run itself is a row in the database, and every
 * vault that holds the new key works on it: rows are taken by lock, so vaults share them, and one that dies leaves its batch as it
 * was. Nothing is kept in memory, so a restart resumes by itself.
 */
export class FieldKeyRotation {
  readonly #deps: RotationDeps;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  /** The keys that rows were under when they were last counted: counting costs a walk over all rows. */
  #from: string[] = [];
  #wake = new AbortController();

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  /** Begins to look for work. */
  start(): void {
    this.#running ??= this.#work();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    await this.#running;
  }

  /** @throws ProblemError `rotation_running`; `rotation_not_possible` when every credential is under the current key. */
  async begin(by: Actor): Promise<RotationStatus> {
    const { store, box, log, now } = this.#deps;
    const kid = box.ring.currentKid;
    await store.atomically(async (stores) => {
      const { rotations } = stores;
      if ((await rotations.latest())?.state === 'running')
        throw new ProblemError('rotation_running', 'A rotation is already running.');
      const rows = sum(others(await rotations.countByKid(), kid));
      if (rows === 0)
        throw new ProblemError('rotation_not_possible', 'Every credential is under the current key already.');
      await rotations.start(kid, rows);
      await recordChange(stores, rotationChange('rotation_started', kid, by, now(), { rows }));
    });
    log.info({ to_kid: kid }, 'the rotation of the master key begins');
    this.#wake.abort();
    return this.status();
  }

  /** What was moved stays moved; the rest is still read under the previous key. @throws ProblemError `not_found` when none runs */
  async cancel(by: Actor): Promise<RotationStatus> {
    const { store, box, log, now } = this.#deps;
    await store.atomically(async (stores) => {
      if (!(await stores.rotations.finish('cancelled', now())))
        throw new ProblemError('not_found', 'No rotation is running.');
      await recordChange(stores, rotationChange('rotation_cancelled', box.ring.currentKid, by, now()));
    });
    log.info('the rotation of the master key was cancelled');
    return this.status();
  }

  async status(): Promise<RotationStatus> {
    const { store, box, now } = this.#deps;
    const { currentKid, previousKid } = box.ring;
    return store.atomically(async ({ rotations }) => {
      const run = await rotations.latest();
      const kids = await rotations.countByKid();
      const failed = await rotations.countFailed(currentKid);
      const left = sum(others(kids, currentKid)) - failed;
      return {
        state: run?.state ?? 'idle',
        done: left + failed === 0,
        current_kid: currentKid,
        previous_kid: previousKid ?? null,
        rows_total: run?.rowsTotal ?? 0,
        rows_done: run?.rowsDone ?? 0,
        rows_left: left,
        rows_failed: failed,
        rows_by_kid: kids,
        rows_per_second: run === undefined ? null : rateOf(run, now()),
        started_at: run?.startedAt.toISOString() ?? null,
        finished_at: run?.finishedAt?.toISOString() ?? null,
      };
    });
  }

  async #work(): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted; ) {
      let pauseMs = AFTER_FAILURE_MS;
      try {
        pauseMs = await this.#step();
        failures = 0;
      } catch (err) {
        this.#noteFailure(err, failures);
        failures += 1;
      }
      await this.#pause(pauseMs);
    }
  }

  /** While the database is away every attempt fails alike: the first one is worth a line. */
  #noteFailure(err: unknown, before: number): void {
    const level = before === 0 ? 'warn' : 'debug';
    this.#deps.log[level]({ err: safeError(err) }, 'the rotation cannot look for work; it will try again');
  }

  /** One batch, if there is a run to our key. @returns How long to wait for the next one, in ms. */
  async #step(): Promise<number> {
    const { store, box } = this.#deps;
    const run = await store.rotations.latest();
    if (run?.state !== 'running' || run.toKid !== box.ring.currentKid) return LOOK_EVERY_MS;
    if (this.#from.length > 0 && (await this.#moveBatch(run, this.#from)) > 0) return 0;
    const kids = others(await store.rotations.countByKid(), run.toKid);
    this.#from = kids.map(({ kid }) => kid);
    const left = sum(kids) - (await store.rotations.countFailed(run.toKid));
    if (left > 0) return WHILE_OTHERS_WORK_MS;
    await this.#finish(run);
    return LOOK_EVERY_MS;
  }

  /** @returns How many rows were taken; 0 when none is left, or all are held by others, or the run was cancelled. */
  async #moveBatch(run: Rotation, from: readonly string[]): Promise<number> {
    const { store, box, metrics } = this.#deps;
    const { taken, moved } = await store
      .atomically(async (stores) => {
        const rows = await stores.rotations.take(from, BATCH);
        if (rows.length === 0) return { taken: 0, moved: 0 };
        const { done } = await reencrypt(stores, box, rows);
        if (!(await stores.rotations.addDone(run.id, done))) throw new Cancelled();
        return { taken: rows.length, moved: done };
      })
      .catch(asNothingTaken);
    metrics.rotatedRows.inc(moved);
    return taken;
  }

  async #finish(run: Rotation): Promise<void> {
    const { store, log, now } = this.#deps;
    const failed = await store.rotations.countFailed(run.toKid);
    const isOurs = await store.atomically(async (stores) => {
      if (!(await stores.rotations.finish('done', now()))) return false;
      const details = { rows_failed: failed };
      await recordChange(stores, rotationChange('rotation_finished', run.toKid, MESH, now(), details));
      return true;
    });
    if (!isOurs) return;
    log.info({ to_kid: run.toKid, rows_failed: failed }, 'the rotation of the master key is done');
  }

  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController();
    if (this.#stopped.signal.aborted) return;
    const { signal } = this.#wake;
    await sleep(ms, undefined, { signal }).catch((err: unknown) => {
      if (!signal.aborted) throw err;
    });
  }
}

const rotationChange = (
  what: 'rotation_started' | 'rotation_cancelled' | 'rotation_finished',
  kid: string,
  by: Actor,
  at: Date,
  details: Record<string, number> = {},
) => ({ what, by, at, machineId: null, apiIds: null, subjectId: kid, details }) as const;

/** Rolls a batch back whose run was cancelled under it. */
class Cancelled extends Error {
  override name = 'Cancelled';
}

function asNothingTaken(err: unknown): { taken: number; moved: number } {
  if (err instanceof Cancelled) return { taken: 0, moved: 0 };
  throw err;
}

const others = (kids: readonly KidCount[], currentKid: string): KidCount[] =>
  kids.filter(({ kid }) => kid !== currentKid);

const sum = (kids: readonly KidCount[]): number => kids.reduce((total, { rows }) => total + rows, 0);

function rateOf(run: Rotation, now: Date): number {
  const seconds = ((run.finishedAt ?? now).getTime() - run.startedAt.getTime()) / 1000;
  return seconds <= 0 ? 0 : Math.round((run.rowsDone / seconds) * 10) / 10;
}
