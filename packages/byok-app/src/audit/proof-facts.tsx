import type { AttestedTick } from '@zeq/crypto/web';
import { exact } from '../plot/format.ts';

/** The numbers behind a verdict: the clock's view shows the same tick and key. */
export const ProofFacts = ({ facts, tick }: { facts: Record<string, string>; tick: AttestedTick }) => (
  <dl className="proof-facts numbers">
    {Object.entries({
      ...facts,
      'Tick (Zeqond)': exact(tick.zeqond),
      'Signed by': `${tick.tesc.uid} · ${tick.tesc.public_key.slice(0, 8)}…`,
    }).map(([label, value]) => (
      <div key={label}>
        <dt>{label}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);
