import type { AuditPage } from '@zeq/contracts';
import { exact } from '../plot/format.ts';
import { Button } from '../ui/button.tsx';
import { say } from '../ui/toast.tsx';
import { type Fault, faultWords } from './fault.ts';
import { ProofFacts } from './proof-facts.tsx';
import { forgetHead } from './remembered.ts';
import type { Verifying } from './use-verdict.ts';
import { VerdictNote } from './verdict-note.tsx';
import type { RecordVerdict } from './verify-record.ts';

interface RecordVerdictProps {
  verifying: Verifying<RecordVerdict>;
  pages: readonly AuditPage[];
}

/** What came of verifying all that is shown. */
export function RecordVerdictNote({ verifying, pages }: RecordVerdictProps) {
  const shown = pages.reduce((sum, { entries }) => sum + entries.length, 0);
  return (
    <VerdictNote
      verifying={verifying}
      what="All that is shown"
      verified={({ head, tick, since }) => (
        <>
          <p>
            {shown === 1 ? 'The one entry shown stands' : `All ${exact(shown)} entries shown stand`} in the
            log as they are here, none left out between them, and the clock has signed the log.{' '}
            {sinceWords(since)}
          </p>
          <ProofFacts facts={{ 'Log size': `${exact(head?.size ?? 0)} leaves` }} tick={tick} />
        </>
      )}
      failed={(fault) => <Failed fault={fault} faults={verifying.verdict?.faults} shown={shown} />}
    />
  );
}

const sinceWords = (since: RecordVerdict['since']): string =>
  since === undefined
    ? 'This browser remembers how long the log is now, and will notice if it is rewritten.'
    : `Nothing was changed or taken out since you verified it last, at ${exact(since.size)} leaves.`;

const TOLD = 5;

interface FailedProps {
  fault: Fault;
  faults: RecordVerdict['faults'] | undefined;
  shown: number;
}

function Failed({ fault, faults, shown }: FailedProps) {
  if (fault.step === 'history') return <Rewritten />;
  const rows = [...(faults ?? [])];
  if (rows.length === 0) return <p>{faultWords(fault)}</p>;
  return (
    <>
      <p>
        {exact(rows.length)} of {exact(shown)} entries {rows.length === 1 ? 'does' : 'do'} not hold:
      </p>
      <ul className="verdict-faults numbers">
        {rows.slice(0, TOLD).map(([row, each]) => (
          <li key={row}>
            <b>Leaf {placeWords(row)}.</b> {faultWords(each)}
          </li>
        ))}
      </ul>
      {rows.length > TOLD && <p>and {exact(rows.length - TOLD)} more, marked in the list.</p>}
    </>
  );
}

function placeWords(row: string): string {
  const [leaf, call] = row.split('.');
  return call === undefined ? `${leaf}` : `${leaf}, call ${call}`;
}

/** A mesh that was set up anew begins a new log, and only its owner can know that. */
const Rewritten = () => (
  <>
    <p>{faultWords({ step: 'history' })}</p>
    <p>If this mesh was set up anew or put back from a backup, that is to be expected.</p>
    <Button
      onClick={() => {
        forgetHead();
        say('Forgotten. Verify again to begin anew.');
      }}
    >
      Forget what was remembered
    </Button>
  </>
);
