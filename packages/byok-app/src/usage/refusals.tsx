import type { UsageFigures } from '@zeq/contracts';
import { exact, percent } from '../plot/format.ts';

/** Calls to which the mesh itself said no, by reason, the most frequent first. */
export function Refusals({ total }: { total: UsageFigures }) {
  const reasons = Object.entries(total.refused).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  return (
    <section className="card card-body stack" aria-labelledby="refusals">
      <h2 id="refusals">Refused by the mesh</h2>
      <ul className="reasons numbers">
        {reasons.map(([code, count]) => (
          <li key={code}>
            <code>{code}</code>
            <strong>{exact(count)}</strong>
            <span className="faint">{percent(count, total.requests)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
