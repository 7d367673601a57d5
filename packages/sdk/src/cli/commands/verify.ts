import type { TescMessage, Tick } from '@zeq/contracts';
import {
  bytesOfHex,
  deriveTescClientKeys,
  openZeqFile,
  type TickFault,
  TickFollower,
  verifyTescMessage,
} from '@zeq/crypto/web';
import { bytesOfBase64Url } from '../../client/base64.ts';
import type { Command, Context } from '../command.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts';
import { openInput, readWhole } from '../files/input-file.ts';
import { bytesText, facts } from '../output.ts';
import { askPassphrase } from './hite.ts';

export const verify: readonly Command[] = [
  {
    name: 'verify ticks',
    args: '<file>',
    summary: 'check ticks that were kept: signatures, chain, order, stated gaps; - is stdin',
    details:
      'The file holds ticks as `zeq ticks --json` prints them, one per line, or an answer of /sync/chain.',
    options: {
      'public-key': { type: 'string', value: 'HEX', text: 'the key that has to have signed them (Ed25519)' },
    },
    examples: ['zeq ticks --json --count 100 > ticks.jsonl && zeq verify ticks ticks.jsonl'],
    run: verifyTicks,
  },
  {
    name: 'verify plat',
    args: '<file>',
    summary: 'check the PLAT of TESC messages with the secret of their channel',
    details: 'The file holds messages as `zeq tesc recv --json` prints them, one per line.',
    options: {
      'secret-file': {
        type: 'string',
        value: 'FILE',
        text: 'a file that holds the secret of the channel (ZEQ_TESC_SECRET_FILE)',
      },
    },
    run: verifyPlats,
  },
  {
    name: 'verify file',
    args: '<file>',
    summary: 'check a .zeq file from end to end; its content is shown to nobody',
    options: {
      'passphrase-file': {
        type: 'string',
        value: 'FILE',
        text: 'a file that holds the passphrase (ZEQ_PASSPHRASE_FILE)',
      },
    },
    run: verifyFile,
  },
];

async function verifyTicks(context: Context): Promise<ExitCode> {
  const { args, options, show } = context;
  const follower = new TickFollower({ publicKey: options.text('public-key') });
  const ticks = (await readJson<Tick>(context, args[0]!)).filter(({ type }) => (type as string) !== 'hold');
  const faults: { at: number; fault: TickFault }[] = [];
  for (const [index, tick] of ticks.entries()) {
    const fault = await follower.accept(tick);
    if (fault !== undefined) faults.push({ at: index + 1, fault });
    if (fault === 'missing') await follower.skipTo(tick);
  }
  const told = faults.slice(0, 20).map(({ at, fault }) => `tick ${at} does not hold: ${fault}`);
  const summary = `${ticks.length - faults.length} of ${ticks.length} ticks hold, signed by ${follower.head?.tesc.public_key ?? 'nobody'}`;
  await show(
    { ticks: ticks.length, faults, public_key: follower.head?.tesc.public_key ?? null },
    [...told, summary].join('\n'),
  );
  return faults.length === 0 && ticks.length > 0 ? EXIT.ok : EXIT.notVerified;
}

async function verifyPlats(context: Context): Promise<ExitCode> {
  const { args, options, settings, show } = context;
  const messages = await readJson<TescMessage>(context, args[0]!);
  const secret = await settings.secrets.ask({
    what: 'Secret of the channel',
    file: options.text('secret-file'),
    option: '--secret-file',
    variable: 'ZEQ_TESC_SECRET',
  });
  const broken: number[] = [];
  for (const message of messages) if (!(await holds(message, secret))) broken.push(message.seq);
  const summary = `${messages.length - broken.length} of ${messages.length} messages hold`;
  await show(
    { messages: messages.length, broken },
    [...broken.map((seq) => `message ${seq} does not hold`), summary].join('\n'),
  );
  return broken.length === 0 && messages.length > 0 ? EXIT.ok : EXIT.notVerified;
}

async function holds(message: TescMessage, secret: string): Promise<boolean> {
  const keys = await deriveTescClientKeys(secret, message.channel);
  try {
    const place = { ...message, previous: bytesOfHex(message.prev) };
    const sealed = { iv: bytesOfBase64Url(message.iv), ciphertext: bytesOfBase64Url(message.ciphertext) };
    return await verifyTescMessage(keys, place, sealed, bytesOfHex(message.plat));
  } catch (err) {
    // fields that are not even hex or base64url
    if (err instanceof RangeError || (err as Error).name === 'InvalidCharacterError') return false;
    throw err;
  }
}

async function verifyFile(context: Context): Promise<void> {
  const source = await openInput(context, context.args[0]!);
  const opened = await openZeqFile(source, await askPassphrase(context, false));
  let bytes = 0;
  for await (const chunk of opened.content) bytes += chunk.length;
  const { clock, landauer } = opened.metadata;
  await context.show(
    { holds: true, bytes, rounds: opened.rounds, metadata: opened.metadata },
    facts([
      ['the file', 'holds'],
      ['content', bytesText(bytes)],
      ['made', new Date(clock.unix_ms).toISOString()],
      ['zeqond', clock.zeqond],
      ['rounds', opened.rounds],
      ['landauer', `${landauer.energy_joules} J for ${landauer.bits} bits`],
    ]),
  );
}

/** JSON lines, one JSON document, or a page of the chain. */
async function readJson<T>(context: Context, file: string): Promise<T[]> {
  const text = await readWhole(await openInput(context, file));
  try {
    const whole = JSON.parse(text) as T | T[] | { ticks: T[] };
    if (Array.isArray(whole)) return whole;
    return typeof whole === 'object' && whole !== null && 'ticks' in whole ? whole.ticks : [whole as T];
  } catch (err) {
    if (!(err instanceof SyntaxError)) throw err;
    return text
      .split('\n')
      .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine<T>(line, index + 1)]));
  }
}

function parseLine<T>(line: string, number: number): T {
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new CommandError(`line ${number} is not JSON`, EXIT.usage);
  }
}
