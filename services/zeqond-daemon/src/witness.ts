import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AttestedTick, checkTick } from '@zeq/crypto';
import { type Logger, safeError } from '@zeq/service-kit';

/** One head is kept for good per this many ticks: about 16.7 minutes, 60 KB a day. */
const KEEP_EVERY = 1_287;
const MAX_LOADED = 1_000;

/** Something that may never happen to an honest chain, with the signed ticks that show it. */
export interface Fault {
  fault: string;
  detail: string;
  engine: string;
  at: string;
  evidence: { seen: unknown; witnessed: AttestedTick | null };
}

/**
 * Signed heads that were seen, on disk: a chain that is cut or computed anew cannot agree with them. And the faults that were found: they
 * stay until a person removes the file `faults.json`.
 */
export class Witness {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #keepEvery: number;
  readonly #kept: AttestedTick[];
  readonly #faults: Fault[];
  #head: AttestedTick | undefined;
  #writing: Promise<void> = Promise.resolve();
  #headWaits = false;

  private constructor(
    folder: string,
    log: Logger,
    keepEvery: number,
    found: { head?: AttestedTick; kept: AttestedTick[]; faults: Fault[] },
  ) {
    this.#folder = folder;
    this.#log = log;
    this.#keepEvery = keepEvery;
    this.#head = found.head ?? found.kept.at(-1);
    this.#kept = found.kept;
    this.#faults = found.faults;
  }

  /** @throws Error for a file that is there and cannot be read: a witness that forgets in silence is none. */
  static async open(folder: string, log: Logger, keepEvery = KEEP_EVERY): Promise<Witness> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const head = await readText(join(folder, 'head.json'));
    const kept = (await readText(join(folder, 'heads.jsonl')))?.trimEnd().split('\n').filter(Boolean) ?? [];
    const faults = await readText(join(folder, 'faults.json'));
    return new Witness(folder, log, keepEvery, {
      ...(head !== undefined && { head: toTick(head, 'head.json') }),
      kept: kept.slice(-MAX_LOADED).map((line) => toTick(line, 'heads.jsonl')),
      faults: faults === undefined ? [] : (JSON.parse(faults) as Fault[]),
    });
  }

  get head(): AttestedTick | undefined {
    return this.#head;
  }

  get faults(): readonly Fault[] {
    return this.#faults;
  }

  get keptCount(): number {
    return this.#kept.length;
  }

  /** The head, and a few older ones spread over what is kept. */
  sample(count: number): AttestedTick[] {
    const step = Math.max(1, Math.floor(this.#kept.length / count));
    const older = this.#kept.filter((_, index) => index % step === 0).slice(-count);
    return this.#head ? [...older, this.#head] : older;
  }

  /** Notes a verified tick. */
  note(tick: AttestedTick): void {
    this.#head = tick;
    this.#writeHead();
    if (tick.tesc.depth - (this.#kept.at(-1)?.tesc.depth ?? Number.NEGATIVE_INFINITY) < this.#keepEvery)
      return;
    this.#kept.push(tick);
    if (this.#kept.length > MAX_LOADED) this.#kept.shift();
    const line = `${JSON.stringify(tick)}\n`;
    this.#write(() => appendFile(join(this.#folder, 'heads.jsonl'), line, { mode: 0o600 }));
  }

  /** Notes a fault; one of each kind and engine, because a broken chain breaks again with every tick. */
  fault(fault: Fault): void {
    if (this.#faults.some((known) => known.fault === fault.fault && known.engine === fault.engine)) return;
    this.#faults.push(fault);
    this.#log.error(
      { fault: fault.fault, engine: fault.engine, detail: fault.detail },
      'the chain is not what it was',
    );
    this.#write(() => replace(join(this.#folder, 'faults.json'), JSON.stringify(this.#faults, null, 2)));
  }

  /** When everything noted so far is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  /** One write at a time, and always of the newest head: thousands may come while the daemon catches up. */
  #writeHead(): void {
    if (this.#headWaits) return;
    this.#headWaits = true;
    this.#write(() => {
      this.#headWaits = false;
      return replace(join(this.#folder, 'head.json'), `${JSON.stringify(this.#head)}\n`);
    });
  }

  #write(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((err: unknown) => {
      this.#log.error({ err: safeError(err) }, 'the witness cannot write');
    });
  }
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  }
}

function toTick(text: string, file: string): AttestedTick {
  const tick: unknown = JSON.parse(text);
  const fault = checkTick(tick);
  if (fault !== undefined)
    throw new Error(`the witness file ${file} holds a tick that does not verify (${fault})`);
  return tick as AttestedTick;
}
