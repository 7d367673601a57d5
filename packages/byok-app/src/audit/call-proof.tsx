import type { ActivityEntry } from '@zeq/contracts';
import { whyNotVerify } from '../clock/can-verify.ts';
import { exact } from '../plot/format.ts';
import { Button } from '../ui/button.tsx';
import { ShieldIcon } from '../ui/icons.tsx';
import { ProofFacts } from './proof-facts.tsx';
import { useVerdict } from './use-verdict.ts';
import { VerdictNote } from './verdict-note.tsx';
import type { CallVerdict } from './verify-call.ts';

/** Whether one call stands in the record as it is shown; this browser does the sums. */
export function CallProof({ entry, apiId }: { entry: ActivityEntry; apiId: string }) {
  const verifying = useVerdict(apiId, async (source): Promise<CallVerdict> => {
    const { verifyCall } = await import('./verify-call.ts');
    return verifyCall(entry, apiId, source);
  });
  const hindrance = whyNotVerify();
  return (
    <section className="proof" aria-label="Proof">
      <div className="row spread">
        <p className="muted grow">
          {hindrance ?? 'Is this what was recorded? Your browser checks it, without trusting the mesh.'}
        </p>
        {hindrance === null && (
          <Button icon={<ShieldIcon />} isBusy={verifying.isBusy} onClick={verifying.run}>
            Verify
          </Button>
        )}
      </div>
      <VerdictNote
        verifying={verifying}
        what="This call"
        verified={({ entry: found, head, tick }) => (
          <>
            <p>It stands in the log exactly as shown here, and the clock has signed the log.</p>
            <ProofFacts
              facts={{
                Call: exact(found?.number ?? 0),
                Leaf: `${exact(found?.leaf ?? 0)} of ${exact(head?.size ?? 0)}`,
              }}
              tick={tick}
            />
          </>
        )}
      />
    </section>
  );
}
