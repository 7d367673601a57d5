import { PassThrough, Writable } from 'node:stream';
import type { Terminal, TtyInput } from '../../src/cli/terminal/terminal.ts';

/** A terminal in memory. What is typed or piped in stands in `input`. */
export function fakeTerminal(env: NodeJS.ProcessEnv, input: string | Uint8Array = '', isTTY = false) {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const stdin: TtyInput = new PassThrough();
  const rawModes: boolean[] = [];
  if (isTTY) Object.assign(stdin, { isTTY, setRawMode: (raw: boolean) => rawModes.push(raw) });
  stdin.push(input);
  if (!isTTY) stdin.push(null);
  const terminal: Terminal = {
    stdin,
    stdout: collecting(out),
    stderr: collecting(err),
    env,
    openTty: () => undefined,
  };
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
  return {
    terminal,
    rawModes,
    stdoutBytes: () => Buffer.concat(out),
    stdout: () => text(out),
    stderr: () => text(err),
  };
}

const collecting = (chunks: Buffer[]): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
