import type { AuditEntry, AuditHead, AuditPage } from '@zeq/contracts';
import type { AuditVerdict, PinnedClock } from '../../audit/check-page.ts';
import type { ZeqClient } from '../../client/create-client.ts';
import type { Command, Context } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { facts, table } from '../output.ts';
import { pinOf } from './ticks.ts';

const PAGE = 500;

export const audit: Command = {
  name: 'audit',
  args: '<api>',
  summary: 'every use of a credential and every change to it, each checked against the public chain',
  details:
    'Each entry is checked against the Merkle tree of the log, the head of the log against the tick that binds it, and the log against\nwhat was remembered of it before: it may only have grown. Exit code 6 when something does not hold. With --json the entries are printed\nas they came, with what is wrong beside each. An API that was removed is named by its id.',
  options: {
    from: { type: 'string', value: 'TIME', text: 'recorded from when, such as 2030-01-31T00:00:00.000Z' },
    to: { type: 'string', value: 'TIME', text: 'recorded until when' },
    limit: { type: 'string', value: 'N', text: 'end after so many' },
    call: { type: 'string', value: 'N', text: 'only this call: its number in `zeq activity --json`' },
    'public-key': {
      type: 'string',
      value: 'HEX',
      text: 'the key of the clock (Ed25519, 64 hex digits); otherwise the remembered one',
    },
    'forget-head': { type: 'boolean', text: 'forget the remembered head of the log first' },
  },
  examples: ['zeq audit openai', 'zeq audit openai --from 2030-01-01T00:00:00.000Z --json > january.json'],
  run: showAudit,
};

async function showAudit(context: Context): Promise<ExitCode> {
  const { args, options, settings, client } = context;
  const url = await settings.url();
  if (options.flag('forget-head')) await settings.known.keepLog(url, undefined);
  const clock = await pinOf(context, url);
  const pinned = { publicKey: clock?.public_key, uid: clock?.uid };
  const mesh = await client();
  const growth = await growthOf(mesh, await settings.known.log(url));
  const shown = await readAndCheck(context, mesh, args[0]!, pinned);
  const isSound =
    growth.isGrown !== false && shown.every(({ fault, head }) => fault === null && head === null);
  if (growth.isGrown !== false) await settings.known.keepLog(url, growth.head);
  const answer = {
    entries: shown.map(({ entry, fault, head }) => ({ ...entry, fault: fault ?? head })),
    log: { ...growth.head, only_grew: growth.isGrown },
  };
  await context.show(answer, textOf(shown, growth));
  return isSound ? EXIT.ok : EXIT.notVerified;
}

interface Checked {
  entry: AuditEntry;
  fault: string | null;
  /** What is wrong with the head that it was checked against. */
  head: string | null;
}

async function readAndCheck(
  { options, signal }: Context,
  mesh: ZeqClient,
  api: string,
  pinned: PinnedClock,
): Promise<Checked[]> {
  const limit = options.whole('limit', { min: 1, max: 1_000_000_000 }) ?? Number.POSITIVE_INFINITY;
  const query = queryOf(options);
  const shown: Checked[] = [];
  let lastCall: number | undefined;
  for (let after: string | null = ''; after !== null && shown.length < limit; ) {
    const wanted = { ...query, limit: Math.min(PAGE, limit - shown.length), ...(after !== '' && { after }) };
    const page: AuditPage = await mesh.audit.of(api, wanted, { signal });
    const verdict = await mesh.audit.check(page, { ...pinned, lastCall }, { signal });
    shown.push(...together(page, verdict));
    lastCall = page.entries.findLast((entry) => entry.kind === 'call')?.number ?? lastCall;
    after = page.next;
  }
  return shown;
}

const together = ({ entries }: AuditPage, verdict: AuditVerdict): Checked[] =>
  entries.map((entry, i) => ({ entry, fault: verdict.entries[i] ?? null, head: verdict.head ?? null }));

function queryOf(options: Context['options']): { from?: string; to?: string; call?: string } {
  const [from, to, call] = [options.text('from'), options.text('to'), options.text('call')];
  return { ...(from && { from }), ...(to && { to }), ...(call && { call }) };
}

/** `isGrown` is null when nothing was remembered to compare with. */
async function growthOf(
  mesh: ZeqClient,
  before: AuditHead | undefined,
): Promise<{ head: AuditHead; isGrown: boolean | null }> {
  const head = await mesh.audit.head();
  if (before === undefined) return { head, isGrown: null };
  if (head.size < before.size) return { head, isGrown: false };
  return mesh.audit.growthSince(before);
}

function textOf(shown: readonly Checked[], growth: { head: AuditHead; isGrown: boolean | null }): string {
  const wrong = shown.filter(({ fault, head }) => fault !== null || head !== null).length;
  const grew = {
    null: 'remembered from now on',
    true: 'only grew since it was last seen',
    false: 'WAS REWRITTEN OR CUT',
  };
  return `${table(['leaf', 'at', 'what', 'who', 'proof'], shown.map(rowOf))}\n\n${facts([
    ['entries', shown.length],
    ['not verified', wrong],
    ['the log', `${growth.head.size} leaves, ${grew[`${growth.isGrown}`]}`],
  ])}`;
}

function rowOf({ entry, fault, head }: Checked): string[] {
  const proof = fault === null && head === null ? 'holds' : `DOES NOT HOLD: ${fault ?? `head ${head}`}`;
  if (entry.kind === 'change') {
    const { at, what, by } = entry.change;
    return [String(entry.leaf), at, what.replaceAll('_', ' '), by.id ?? by.kind, proof];
  }
  const { at, method, path, status, outcome, caller_name, caller_id } = entry.call;
  const what = `${method} ${path} ${status === 0 ? outcome : status}`;
  return [String(entry.leaf), new Date(at).toISOString(), what, caller_name ?? caller_id, proof];
}
