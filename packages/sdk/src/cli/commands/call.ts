import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { chunksOf } from '@zeq/crypto/web';
import { isFetchFailure } from '../../client/deadline.ts';
import { ERROR_HEADER, errorOf } from '../../client/problem.ts';
import type { Body } from '../../client/transport.ts';
import { ZeqError } from '../../client/zeq-error.ts';
import type { Command, Context } from '../command.ts';
import { type ExitCode, exitCodeOfStatus, UsageError } from '../exit-codes.ts';
import { openInput, readWhole } from '../files/input-file.ts';
import { writeAll } from '../files/output-file.ts';
import { printable, write } from '../terminal/terminal.ts';

export const call: Command = {
  name: 'call',
  args: '<api> <path>',
  summary: 'call an upstream through the mesh, as curl would; the mesh attaches the credential',
  details:
    'The answer streams to stdout. A body that is JSON is sent as application/json, another -d as a form, --data-binary as bytes; -H\nContent-Type says otherwise. The exit code follows the status (4 for 400 to 499, 5 for 500 and more); what the mesh itself refuses\nis told on stderr as well.',
  options: {
    request: { type: 'string', short: 'X', value: 'METHOD', text: 'default: GET, or POST with a body' },
    header: { type: 'string', short: 'H', value: 'LINE', multiple: true, text: 'a header, `Name: value`' },
    data: { type: 'string', short: 'd', value: 'TEXT', text: 'the body; @FILE reads a file, @- stdin' },
    'data-binary': { type: 'string', value: '@FILE', text: 'the body, streamed as it is; @- is stdin' },
    include: { type: 'boolean', short: 'i', text: 'print status and headers as well' },
    output: { type: 'string', short: 'o', value: 'FILE', text: 'write the body there' },
  },
  examples: [
    'zeq call openai /v1/models',
    `zeq call openai /v1/chat/completions -d '{"model":"gpt-5","messages":[{"role":"user","content":"Hello"}],"stream":true}'`,
    'zeq call files /upload -X PUT --data-binary @large.bin -i',
  ],
  async run(context) {
    const { args, options, client, settings, signal } = context;
    const [api, path] = args as [string, string];
    const headers = new Headers(options.list('header').map(parseHeader));
    const body = await bodyOf(context, headers);
    const mesh = await client();
    const { timeoutMs } = settings;
    const method = options.text('request');
    const response = await mesh.call(api, path, { method, headers, body, signal, timeoutMs });
    return answer(context, response);
  },
};

/** Hands the answer over. @returns The exit code of its status. */
async function answer(context: Context, response: Response): Promise<ExitCode> {
  const { options, terminal } = context;
  if (response.headers.has(ERROR_HEADER)) {
    const refusal = await errorOf(response.clone());
    await write(terminal.stderr, `zeq: the mesh says no: ${printable(refusal.message)}\n`);
  }
  try {
    await (options.flag('json') ? showWhole(context, response) : stream(context, response));
  } catch (err) {
    throw brokenOff(err);
  }
  return exitCodeOfStatus(response.status);
}

async function showWhole({ show }: Context, response: Response): Promise<void> {
  const { status, headers } = response;
  await show({ status, headers: Object.fromEntries(headers), body: await response.text() }, '');
}

async function stream({ options, terminal }: Context, response: Response): Promise<void> {
  const path = options.text('output');
  if (options.flag('include')) {
    const lines = [...response.headers].map(([name, value]) => `${name}: ${printable(value)}\n`).join('');
    await write(terminal.stdout, `HTTP ${response.status}\n${lines}\n`);
  }
  const chunks = response.body === null ? [] : chunksOf(response.body);
  if (path === undefined) {
    for await (const bytes of chunks) await write(terminal.stdout, bytes);
    return;
  }
  const file = await open(path, 'w');
  try {
    await writeAll(file, chunks);
  } finally {
    await file.close();
  }
}

/** A body that broke off is an error of its own: what came is not the whole answer. */
function brokenOff(err: unknown): unknown {
  if (!isFetchFailure(err)) return err;
  return new ZeqError({ status: 0, code: 'answer_cut_off', detail: 'The answer broke off before its end.' });
}

async function bodyOf(context: Context, headers: Headers): Promise<Body | undefined> {
  const [data, binary] = [context.options.text('data'), context.options.text('data-binary')];
  if (data !== undefined && binary !== undefined) throw new UsageError('--data or --data-binary, not both');
  if (binary?.startsWith('@')) {
    typeUnlessGiven(headers, 'application/octet-stream');
    return Readable.toWeb(await openInput(context, binary.slice(1))) as ReadableStream<Uint8Array>;
  }
  const given = data ?? binary;
  if (given === undefined) return undefined;
  const text = given.startsWith('@') ? await readWhole(await openInput(context, given.slice(1))) : given;
  typeUnlessGiven(headers, isJson(text) ? 'application/json' : 'application/x-www-form-urlencoded');
  return text;
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  if (colon < 1 || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new UsageError('--header must be a line `Name: value` in Latin-1');
  return [name, value];
}

function typeUnlessGiven(headers: Headers, type: string): void {
  if (!headers.has('content-type')) headers.set('content-type', type);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
