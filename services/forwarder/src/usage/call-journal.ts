import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { RecordedCall } from '@zeq/contracts';
import { z } from 'zod';
import type { EndedCall } from './call-record.ts';
import type { CleanCall } from './fresh-calls.ts';

const SUFFIX = '.jsonl';

/**
 * What has ended and was not yet reported, in a file: a process that is killed takes nothing along. It is written once in every turn of
 * the event loop in which a call ended, into the operating system's cache: a kill loses nothing of that, a power cut what was not yet
 * on the disk. Each file holds what goes into the batches from one number on, so that whoever finds it makes the same batches of it, and
 * the vault knows those that it has counted.
 */
export class CallJournal {
  readonly #folder: string;
  #firstSeq = 1;
  #file: number | undefined;

  /** @param folder Its own. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** @throws Error of the file system when it cannot be written. */
  append(calls: readonly CleanCall[]): void {
    if (calls.length === 0) return;
    this.#file ??= openSync(this.#pathOf(this.#firstSeq), 'a', 0o600);
    writeWhole(this.#file, Buffer.from(calls.map(toLine).join('')));
  }

  /** What is appended from here on goes into the batches from this number on. */
  cut(firstSeq: number): void {
    this.#closeFile();
    this.#firstSeq = firstSeq;
  }

  /** Everything before the last cut was taken by the vault. */
  forgetReported(): void {
    for (const { firstSeq, path } of filesIn(this.#folder)) if (firstSeq < this.#firstSeq) rmSync(path);
  }

  /** Everything was taken by the vault. */
  remove(): void {
    this.#closeFile();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #closeFile(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #pathOf = (firstSeq: number): string => join(this.#folder, `${firstSeq}${SUFFIX}`);
}

/** All of it or nothing: half a line would make the next one unreadable as well. */
function writeWhole(file: number, bytes: Buffer): void {
  const { size } = fstatSync(file);
  try {
    if (writeSync(file, bytes) < bytes.length)
      throw new Error('the journal of calls could not be written whole');
  } catch (err) {
    ftruncateSync(file, size);
    throw err;
  }
}

export interface JournaledCall {
  call: EndedCall;
  recorded: RecordedCall;
}

export interface JournalFile {
  firstSeq: number;
  path: string;
  calls: JournaledCall[];
  /** Lines that say nothing, such as a last one that was not written whole. */
  unreadable: number;
}

/** The files of a journal in their order, and what is in them. */
export const readJournal = (folder: string): JournalFile[] =>
  filesIn(folder).map(({ firstSeq, path }) => {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const calls = lines.map(parseLine).filter((call) => call !== undefined);
    return { firstSeq, path, calls, unreadable: lines.length - calls.length };
  });

function filesIn(folder: string): { firstSeq: number; path: string }[] {
  return readdirSync(folder)
    .filter((name) => /^[1-9][0-9]{0,14}\.jsonl$/.test(name))
    .map((name) => ({ firstSeq: Number.parseInt(name, 10), path: join(folder, name) }))
    .sort((one, two) => one.firstSeq - two.firstSeq);
}

const toLine = ({ call, recorded }: CleanCall): string =>
  `${JSON.stringify([call.endedAt, call.sent, recorded])}\n`;

const Line = z.tuple([z.number(), z.int(), RecordedCall]);

const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

function parseLine(line: string): JournaledCall | undefined {
  const parsed = Json.pipe(Line).safeParse(line);
  if (!parsed.success) return undefined;
  const [endedAt, sent, recorded] = parsed.data;
  const { kind, status, outcome, code, duration_ms, bytes_in, bytes_out, tokens_in, tokens_out } = recorded;
  const call = {
    ...{ endedAt, sent, kind, status, outcome, code, durationMs: duration_ms },
    ...{ bytesIn: bytes_in, bytesOut: bytes_out, tokensIn: tokens_in ?? -1, tokensOut: tokens_out ?? -1 },
  };
  return { call, recorded };
}
