import type { FollowedTick } from '../../clock/follow-ticks.ts';
import type { Command, Context } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import type { KnownClock } from '../settings/known.ts';
import { write } from '../terminal/terminal.ts';

/** Ticks that were not shown are no lie, and a relay may show one twice. */
const HARMLESS = ['missing', 'repeated'];

export const ticks: Command = {
  name: 'ticks',
  summary: 'the ticks of the mesh as they come, one every 777 ms; with --verify each is checked here',
  details:
    'The key of the first tick that verifies is remembered for this mesh, and ticks under another key are refused from then on;\n--public-key pins it beforehand. With --json each tick is one line.',
  options: {
    verify: {
      type: 'boolean',
      text: 'check signature, chain, order and stated gaps; exit code 6 when one does not hold',
    },
    count: { type: 'string', value: 'N', text: 'end after so many ticks' },
    'public-key': {
      type: 'string',
      value: 'HEX',
      text: 'the key that has to have signed them (Ed25519, 64 hex digits)',
    },
    'forget-key': { type: 'boolean', text: 'forget the remembered key first' },
  },
  examples: ['zeq ticks --verify', 'zeq ticks --verify --count 10 --json'],
  async run(context) {
    const { options, settings, client, signal } = context;
    const count = options.whole('count', { min: 1, max: 1_000_000_000 });
    const url = await settings.url();
    if (options.flag('forget-key')) await settings.known.keepClock(url, undefined);
    const isVerified = options.flag('verify');
    const pinned = isVerified ? await pinOf(context, url) : undefined;
    const mesh = await client({ key: false });
    const followed = mesh.clock.ticks({ publicKey: pinned?.public_key, uid: pinned?.uid, signal });
    return showTicks(context, followed, { url, count, isVerified, isKnown: pinned !== undefined });
  },
};

interface Showing {
  url: string;
  /** Ticks to show; without it until Ctrl-C. */
  count: number | undefined;
  isVerified: boolean;
  /** The key is pinned or was remembered: there is nothing new to remember. */
  isKnown: boolean;
}

async function showTicks(
  { options, settings, terminal }: Context,
  followed: AsyncIterable<FollowedTick>,
  { url, count = Number.POSITIVE_INFINITY, isVerified, isKnown }: Showing,
): Promise<ExitCode> {
  let [left, exitCode, known]: [number, ExitCode, boolean] = [count, EXIT.ok, isKnown];
  for await (const one of followed) {
    await write(
      terminal.stdout,
      `${options.flag('json') ? jsonOf(one, isVerified) : lineOf(one, isVerified)}\n`,
    );
    if ('hold' in one) continue;
    const { tick, fault } = one;
    if (isVerified && fault !== undefined && !HARMLESS.includes(fault)) exitCode = EXIT.notVerified;
    if (isVerified && fault === undefined && !known && tick.tesc) {
      const { public_key, uid } = tick.tesc;
      await settings.known.keepClock(url, { public_key, uid });
      known = true;
    }
    left -= 1;
    if (left === 0) break;
  }
  return exitCode;
}

/** The key that has to have signed: of `--public-key`, or the remembered one. */
export async function pinOf(
  { options, settings }: Context,
  url: string,
): Promise<Partial<KnownClock> | undefined> {
  const key = options.text('public-key');
  if (key === undefined) return settings.known.clock(url);
  if (!/^[0-9a-f]{64}$/.test(key)) throw new UsageError('--public-key must be 64 lower-case hex digits');
  return { public_key: key };
}

function jsonOf(one: FollowedTick, isVerified: boolean): string {
  if ('hold' in one) return JSON.stringify(one.hold);
  return JSON.stringify(isVerified ? { ...one.tick, fault: one.fault ?? null } : one.tick);
}

function lineOf(one: FollowedTick, isVerified: boolean): string {
  if ('hold' in one) return `hold: the clock of the mesh is ${one.hold.behind_ms} ms behind its chain`;
  const { tick, fault } = one;
  const place = tick.tesc
    ? `depth ${tick.tesc.depth}  chain ${tick.tesc.chain.slice(0, 16)}`
    : 'not attested';
  const verdict = isVerified ? `  ${fault === undefined ? 'verified' : `NOT VERIFIED: ${fault}`}` : '';
  return `${tick.zeqond}  ${new Date(tick.timestamp * 1000).toISOString()}  ${place}${verdict}`;
}
