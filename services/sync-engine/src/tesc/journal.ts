import { type FileHandle, open, readFile } from 'node:fs/promises';
import { writeWhole } from '../store/tick-files.ts';

/** Lines of JSON that are only ever appended, each on the disk before it counts. Bytes are written as `{"$hex": "…"}`. */
export class Journal {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #lines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** How many lines the file has. */
  get lines(): number {
    return this.#lines;
  }

  /** What was appended, in order. A last line that a crash tore did not count yet: it is left out. @throws SyntaxError for any other. */
  async read(): Promise<unknown[]> {
    const text = await readFile(this.#path, 'utf8').catch((err: NodeJS.ErrnoException) => {
      if (err.code === 'ENOENT') return '';
      throw err;
    });
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line, revive));
  }

  /** Replaces everything, whole or not at all. */
  async rewrite(entries: readonly unknown[]): Promise<void> {
    await this.close();
    await writeWhole(this.#path, entries.map(toLine).join(''));
    this.#handle = await open(this.#path, 'a', 0o600);
    this.#lines = entries.length;
  }

  /** Call `rewrite` first. */
  async append(entry: unknown): Promise<void> {
    await this.#handle!.appendFile(toLine(entry));
    await this.#handle!.datasync();
    this.#lines += 1;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}

const toLine = (entry: unknown): string => `${JSON.stringify(encode(entry))}\n`;

function encode(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { $hex: value.toString('hex') };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member)]));
}

const revive = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && '$hex' in value
    ? Buffer.from(String(value.$hex), 'hex')
    : value;
