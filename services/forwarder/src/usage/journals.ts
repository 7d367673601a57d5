import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, safeError } from '@zeq/service-kit';
import { holdFolder } from '@zeq/service-kit/folder-lock';
import { CallJournal, readJournal } from './call-journal.ts';
import { reportBatches, type UsageSink } from './report-batches.ts';
import { WaitingUsage } from './waiting-usage.ts';

/** How often it is looked for journals of processes that ended without a word (ms). */
const LOOK_EVERY_MS = 30_000;
const AFTER_FAILURE_MS = 1_000;

export interface JournalsOptions {
  /** Shared by all forwarders of a machine; each has a folder of its own in it, and holds it. */
  folder: string;
  /** Of this process. */
  instance: string;
  sink: UsageSink;
  log: Logger;
}

/** The journals of the forwarders that share a folder: this one's own, and those of processes that were killed. */
export class Journals {
  readonly own: CallJournal;
  readonly #options: JournalsOptions;
  readonly #letGo: () => void;
  #timer: NodeJS.Timeout | undefined;
  #recovering: Promise<void> | undefined;
  #isStopped = false;

  /** @throws Error of the file system when the folder cannot be written. */
  constructor(options: JournalsOptions) {
    this.#options = options;
    const folder = join(options.folder, options.instance);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#letGo = holdFolder(folder);
    this.own = new CallJournal(folder);
  }

  /** Begins to report what killed processes left behind. */
  start(): void {
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#recovering;
    this.#letGo();
  }

  /** Reports what is left of processes that are gone, each under its own name. @returns Whether there is nothing more to do now. */
  async recover(): Promise<boolean> {
    const { folder, instance, log } = this.#options;
    try {
      for (const name of readdirSync(folder))
        if (name !== instance && !this.#isStopped) await this.#recoverOne(join(folder, name), name);
      return true;
    } catch (err) {
      log.warn(
        { err: safeError(err) },
        'the journal of a forwarder that was killed cannot be reported just now',
      );
      return false;
    }
  }

  /** A folder that is held is that of a process that lives. */
  async #recoverOne(folder: string, instance: string): Promise<void> {
    const letGo = tryToHold(folder);
    if (letGo === undefined) return;
    const { sink, log } = this.#options;
    try {
      for (const { firstSeq, path, calls, unreadable } of readJournal(folder)) {
        const waiting = new WaitingUsage();
        for (const { call, recorded } of calls) waiting.add(call, recorded);
        await reportBatches(sink, waiting.takeBatches(instance, firstSeq), ({ seq }) =>
          log.error({ seq }, 'the vault does not take a usage report'),
        );
        const found = { calls: calls.length, unreadable };
        log.info(found, 'reported what a forwarder that was killed had journaled');
        rmSync(path);
      }
      rmSync(folder, { recursive: true, force: true });
    } finally {
      letGo();
    }
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#recovering = this.recover().then((done) =>
        this.#schedule(done ? LOOK_EVERY_MS : AFTER_FAILURE_MS),
      );
    }, delayMs).unref();
  }
}

function tryToHold(folder: string): (() => void) | undefined {
  try {
    return holdFolder(folder);
  } catch {
    return undefined; // held by another process, or removed by one that has just reported it
  }
}
