import type { AuditPage } from '@zeq/contracts';
import { useMemo, useState } from 'react';
import { useMachine } from '../api/session.ts';
import { whyNotVerify } from '../clock/can-verify.ts';
import { exact } from '../plot/format.ts';
import { goTo } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { Choice } from '../ui/choice.tsx';
import { save } from '../ui/download.ts';
import { DownloadIcon, ShieldIcon } from '../ui/icons.tsx';
import { Empty, Failure, SkeletonRows } from '../ui/states.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { RECORD_RANGES, recordRangeOf } from './ranges.ts';
import { RecordTable } from './record-table.tsx';
import { RecordVerdictNote } from './record-verdict.tsx';
import { rememberedHead, rememberHead } from './remembered.ts';
import { type ShownRecord, useRecord } from './use-record.ts';
import { useVerdict, type Verifying } from './use-verdict.ts';
import type { RecordVerdict } from './verify-record.ts';

/** Every use of an API and every change to it, in the order of the log; this browser checks that nothing in it was altered. */
export function RecordTab({ api, part }: TabProps) {
  const { slug } = useMachine();
  const range = recordRangeOf(part);
  const record = useRecord(slug, api.id, range);
  const { pages = [] } = record;
  const verifying = useVerifyShown(api.id, pages);
  const hindrance = whyNotVerify();
  const isEmpty = pages.every(({ entries }) => entries.length === 0);
  return (
    <div className="stack">
      <div className="row spread record-tools">
        <Choice
          label="Time"
          options={RECORD_RANGES.map(({ id, label }) => [id, label] as const)}
          chosen={range.id}
          onChoose={(id) => goTo('apis', api.name, 'record', id)}
        />
        <div className="actions">
          <Button
            kind="primary"
            icon={<ShieldIcon />}
            isBusy={verifying.isBusy}
            aria-disabled={isEmpty || hindrance !== null || undefined}
            onClick={() => !isEmpty && hindrance === null && verifying.run()}
          >
            Verify all shown
          </Button>
          <Button
            icon={<DownloadIcon />}
            aria-label="Download the record as JSON"
            aria-disabled={isEmpty || undefined}
            onClick={() => !isEmpty && saveRecord(api.id, api.name, pages, verifying.verdict)}
          >
            JSON
          </Button>
        </div>
      </div>
      {(hindrance !== null || (verifying.verdict === undefined && !verifying.isBusy)) && (
        <p className="muted">
          {hindrance ??
            'Every change and every call, in the order of the log. Your browser can check that nothing here was altered or left out, without trusting the mesh.'}
        </p>
      )}
      <RecordVerdictNote verifying={verifying} pages={pages} />
      <Body apiId={api.id} record={record} verdict={verifying.verdict} isAll={range.ms === null} />
    </div>
  );
}

/** Verifies what is shown when somebody asks. A verdict holds for what was shown then, and for nothing else. */
function useVerifyShown(apiId: string, pages: readonly AuditPage[]): Verifying<RecordVerdict> {
  const [judged, setJudged] = useState<readonly AuditPage[]>();
  const verifying = useVerdict(apiId, async (source): Promise<RecordVerdict> => {
    setJudged(pages);
    const { verifyRecord } = await import('./verify-record.ts');
    const verdict = await verifyRecord(pages, apiId, rememberedHead(), source);
    const isWhole = verdict.state === 'verified' || verdict.state === 'unvouched';
    if (isWhole && verdict.head) rememberHead(verdict.head);
    return verdict;
  });
  return { ...verifying, verdict: judged === pages ? verifying.verdict : undefined };
}

/** What is shown, and what vouches for it where it was verified: enough for anybody to check it again. */
function saveRecord(
  apiId: string,
  name: string,
  pages: readonly AuditPage[],
  verdict: RecordVerdict | undefined,
): void {
  const proof =
    verdict?.state === 'verified' ? { head: verdict.head, growth: verdict.growth, tick: verdict.tick } : null;
  const content = JSON.stringify({ api_id: apiId, pages, proof }, null, 2);
  save(new Blob([content], { type: 'application/json' }), `${name}-record.json`);
}

interface BodyProps {
  apiId: string;
  record: ShownRecord;
  verdict: RecordVerdict | undefined;
  isAll: boolean;
}

function Body({ apiId, record, verdict, isAll }: BodyProps) {
  const { pages, error, isLoading, reload } = record;
  const entries = useMemo(() => pages?.flatMap((page) => page.entries), [pages]);
  return (
    <>
      {error && <Failure error={error} retry={reload} isBusy={isLoading} isStale={pages !== undefined} />}
      {entries === undefined ? (
        !error && <SkeletonRows rows={8} height={45} />
      ) : entries.length === 0 ? (
        <Empty title={isAll ? 'Nothing is recorded yet' : 'Nothing in this time'} art={<ShieldIcon />}>
          <p>Every call and every change appears here about two seconds after it happened.</p>
        </Empty>
      ) : (
        <>
          <RecordTable apiId={apiId} entries={entries} verdict={verdict} />
          <Foot record={record} shown={entries.length} />
        </>
      )}
    </>
  );
}

function Foot({ record, shown }: { record: ShownRecord; shown: number }) {
  const hasMore = record.pages?.at(-1)?.next !== null;
  return (
    <div className="row spread">
      <p className="muted numbers">
        {exact(shown)} {shown === 1 ? 'entry' : 'entries'}
        {hasMore ? '' : ', up to now'}
      </p>
      <Button isBusy={record.isLoading} onClick={hasMore ? record.loadMore : record.reload}>
        {hasMore ? 'More' : 'Look again'}
      </Button>
    </div>
  );
}
