import type { Readable, Writable } from 'node:stream';

/** A stream of keys: a terminal's input. */
export interface TtyInput extends Readable {
  isTTY?: boolean;
  setRawMode?: (raw: boolean) => unknown;
}

/** The world around the command: a test passes its own. */
export interface Terminal {
  stdin: TtyInput;
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable;
  env: NodeJS.ProcessEnv;
  /** The terminal itself, also where stdin is a file or a pipe; undefined where there is none. */
  openTty: () => TtyInput | undefined;
}

/** Writes, and waits while the reader is slow. */
export async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(data, (err) => (err ? reject(err) : resolve()));
  });
}

/** Text of somebody else, without the control characters that a terminal obeys; line ends and tabs stay. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) =>
    char === '\n' || char === '\t' ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
