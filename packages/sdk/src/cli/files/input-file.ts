import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Context } from '../command.ts';
import { CommandError } from '../exit-codes.ts';

/** A file as a stream, or stdin for `-`; secrets are then not read from there. @throws CommandError when it cannot be read */
export async function openInput({ terminal, settings }: Context, file: string): Promise<Readable> {
  if (file === '-') {
    settings.secrets.keepStdinForData();
    return terminal.stdin;
  }
  const found = await stat(file).catch((err: NodeJS.ErrnoException) => {
    throw new CommandError(`${file} cannot be read (${err.code})`);
  });
  if (found.isDirectory()) throw new CommandError(`${file} is a folder, not a file`);
  return createReadStream(file);
}

/** All of a stream as text. */
export async function readWhole(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
