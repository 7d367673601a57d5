import { type FileHandle, open, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttestedTick } from '@zeq/crypto';
import { RECORD_BYTES, type RecordIdentity, readRecord, writeRecord } from './tick-record.ts';

const NAME = /^ticks-(\d{12})\.bin$/;
const nameOf = (first: number): string => `ticks-${String(first).padStart(12, '0')}.bin`;

/** Records by depth, in files of a fixed number of records each, named for the first depth in them. */
export class TickFiles {
  readonly #folder: string;
  readonly #identity: RecordIdentity;
  readonly #perFile: number;
  #writing: { first: number; handle: FileHandle } | undefined;

  constructor(folder: string, identity: RecordIdentity, perFile: number) {
    this.#folder = folder;
    this.#identity = identity;
    this.#perFile = perFile;
  }

  /** The first depths of the files there are, in order. */
  async firsts(): Promise<number[]> {
    const names = await readdir(this.#folder);
    return names
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** Writes a record where its depth belongs; when it returns the record is on the disk. */
  async write(tick: AttestedTick): Promise<void> {
    const { depth } = tick.tesc;
    const first = this.#firstOf(depth);
    const handle = await this.#writeHandle(first);
    await handle.write(writeRecord(tick), 0, RECORD_BYTES, (depth - first) * RECORD_BYTES);
    await handle.datasync();
  }

  /** @throws Error for a record that is damaged: ticks that were shown are never skipped in silence. */
  async read(fromDepth: number, toDepth: number): Promise<AttestedTick[]> {
    const ticks: AttestedTick[] = [];
    for (let depth = fromDepth; depth <= toDepth; ) {
      const last = Math.min(toDepth, this.#firstOf(depth) + this.#perFile - 1);
      ticks.push(...(await this.#readRun(depth, last)));
      depth = last + 1;
    }
    return ticks;
  }

  /**
   * The last whole record, and everything behind it cut off: what a crash tore was never shown to anybody.
   *
   * @returns undefined when there is no record at all.
   */
  async recoverLast(): Promise<AttestedTick | undefined> {
    for (const first of (await this.firsts()).reverse()) {
      const handle = await this.#writeHandle(first);
      const records = Math.floor((await handle.stat()).size / RECORD_BYTES);
      for (let depth = first + records - 1; depth >= first; depth -= 1) {
        const tick = await this.#readOne(handle, first, depth);
        if (tick?.tesc.depth !== depth) continue;
        await handle.truncate((depth - first + 1) * RECORD_BYTES);
        return tick;
      }
      await handle.truncate(0);
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#writing?.handle.close();
    this.#writing = undefined;
  }

  async #readRun(from: number, to: number): Promise<AttestedTick[]> {
    const first = this.#firstOf(from);
    const handle = await open(join(this.#folder, nameOf(first)), 'r');
    try {
      const bytes = Buffer.alloc((to - from + 1) * RECORD_BYTES);
      await handle.read(bytes, 0, bytes.length, (from - first) * RECORD_BYTES);
      return Array.from({ length: to - from + 1 }, (_, index) => {
        const tick = readRecord(
          bytes.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES),
          this.#identity,
        );
        if (tick?.tesc.depth !== from + index)
          throw new Error(`the stored tick at depth ${from + index} is damaged`);
        return tick;
      });
    } finally {
      await handle.close();
    }
  }

  async #readOne(handle: FileHandle, first: number, depth: number): Promise<AttestedTick | undefined> {
    const bytes = Buffer.alloc(RECORD_BYTES);
    await handle.read(bytes, 0, RECORD_BYTES, (depth - first) * RECORD_BYTES);
    return readRecord(bytes, this.#identity);
  }

  async #writeHandle(first: number): Promise<FileHandle> {
    if (this.#writing?.first === first) return this.#writing.handle;
    await this.close();
    const path = join(this.#folder, nameOf(first));
    await (await open(path, 'a', 0o600)).close(); // made if missing: 'r+' alone does not, and 'a' cannot write at a place
    const handle = await open(path, 'r+');
    this.#writing = { first, handle };
    await syncFolder(this.#folder);
    return handle;
  }

  #firstOf(depth: number): number {
    return depth - ((depth - 1) % this.#perFile);
  }
}

/** Writes a whole file or none of it, on the disk when it returns. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  await syncFolder(join(path, '..'));
}

/** A new name is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
