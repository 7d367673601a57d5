import { type AuditEntry, type AuditHead, createClient, ZeqError } from '@zeq/sdk';
import { until } from '../../../e2e/src/until.ts';
import type { Call } from '../load/call.ts';
import type { Fault } from '../mesh.ts';
import { STEADY, type Tenant } from '../tenant.ts';
import type { Verdict } from '../verdict.ts';
import { wasInFlight } from './calls.ts';

const PAGE = 500;
const USES = ['forward', 'stream'];
/** A call is journaled at the end of the turn of the loop in which its answer left: how long that may be on a busy machine (ms). */
const TURN_MS = 50;
/** For the last reports, those of a killed forwarder among them, and for the clock to take the head that holds them. */
const SETTLE_MS = 45_000;

/** Where the log stands; undefined before the mesh can say. */
export const logHead = (tenant: Tenant): Promise<AuditHead> => clientOf(tenant).audit.head();

/**
 * Every use that its caller saw succeed is in the record, once; every entry of it stands in the log, which only grew and which a tick
 * binds. Calls that were in flight when a forwarder was killed may be missing: nobody was there to record them. So may be one whose last
 * bytes left in the very turn of the loop in which it was killed.
 */
export async function judgeRecord(
  verdict: Verdict,
  tenant: Tenant,
  calls: readonly Call[],
  faults: readonly Fault[],
  before: AuditHead,
): Promise<void> {
  const kills = faults
    .filter(({ what }) => what.startsWith('forwarder'))
    .map((kill) => ({ ...kill, at: kill.at - TURN_MS }));
  const uses = calls.filter(({ kind, outcome }) => USES.includes(kind) && outcome === 'ok');
  const owed = uses.filter((call) => !kills.some((kill) => wasInFlight(call, kill))).map(({ id }) => id);
  const { entries, wrong } = await settledRecord(tenant, new Set(owed));
  const times = timesOf(entries);
  verdict.none(
    `uses that are not in the record, of ${owed.length} that succeeded`,
    owed.filter((id) => !times.has(id)),
  );
  verdict.none(
    'uses that are in the record more than once',
    uses.filter(({ id }) => (times.get(id) ?? 0) > 1).map(({ id }) => id),
  );
  verdict.none(`faults in the record of ${entries.length} entries`, wrong);
  const { isGrown, head } = await clientOf(tenant).audit.growthSince(before);
  verdict.that('the log only grew', isGrown, `${before.size} → ${head.size} leaves`);
}

/** The record as it stands when everything that is owed has come, or when it is no use to wait longer. */
async function settledRecord(tenant: Tenant, owed: ReadonlySet<string>): Promise<CheckedRecord> {
  let record: CheckedRecord = { entries: [], wrong: ['could not be read'] };
  const isWhole = async () => {
    record = await readRecord(tenant).catch((err: unknown) => {
      if (err instanceof ZeqError) return { entries: [], wrong: [err.message] };
      throw err;
    });
    const times = timesOf(record.entries);
    return record.wrong.length === 0 && [...owed].every((id) => times.has(id));
  };
  await until(isWhole, SETTLE_MS).catch(() => undefined); // what is missing then is judged
  return record;
}

interface CheckedRecord {
  entries: AuditEntry[];
  wrong: string[];
}

async function readRecord(tenant: Tenant): Promise<CheckedRecord> {
  const { audit } = clientOf(tenant);
  const entries: AuditEntry[] = [];
  const wrong: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page = await audit.of(STEADY, { limit: PAGE, ...(after !== '' && { after }) });
    const { head, entries: faults } = await audit.check(page);
    if (head !== undefined) wrong.push(`head: ${head}`);
    wrong.push(...faults.flatMap((fault, i) => (fault ? [`leaf ${page.entries[i]!.leaf}: ${fault}`] : [])));
    entries.push(...page.entries);
    after = page.next;
  }
  return { entries, wrong };
}

function timesOf(entries: readonly AuditEntry[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const entry of entries)
    if (entry.kind === 'call') times.set(entry.call.request_id, (times.get(entry.call.request_id) ?? 0) + 1);
  return times;
}

const clientOf = ({ mesh, slug, headers }: Tenant) =>
  createClient({ url: mesh.gateway, key: headers.authorization!.replace('Bearer ', ''), slug });
