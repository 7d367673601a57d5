import type { OperatorDetails } from '@zeq/contracts';
import { useEffect, useRef } from 'react';
import { type Operator, operatorApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Loaded, SkeletonRows } from '../ui/states.tsx';
import { Calculator } from './calculator.tsx';

/** One operator: what it is, and for who is signed in its equation and a calculator. */
export function OperatorPanel({ id, who }: { id: string; who: string }) {
  const operator = useResource(`operator/${who}/${id}`, (signal) => operatorApi.show(id, signal));
  return (
    <Loaded resource={operator} skeleton={<SkeletonRows rows={3} height={90} />}>
      {(data) => <Panel operator={data} />}
    </Loaded>
  );
}

const hasDetails = (operator: Operator): operator is OperatorDetails => 'equation' in operator;

function Panel({ operator }: { operator: Operator }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    ref.current?.focus({ preventScroll: true });
    // on a phone the panel lies below the list
    if (matchMedia('(max-width: 1000px)').matches) ref.current?.scrollIntoView({ block: 'start' });
  }, []);
  return (
    <section className="card card-body stack" aria-labelledby="operator-name">
      <div className="stack operator-head">
        <div className="row spread">
          <h2 id="operator-name" ref={ref} tabIndex={-1}>
            {operator.name}
          </h2>
          <span className="mono muted">{operator.id}</span>
        </div>
        <div className="row">
          <Badge tone="plain">{operator.tierLabel}</Badge>
          <span className="muted">{operator.category.replaceAll('_', ' ')}</span>
          {hasDetails(operator) && operator.founder !== '' && (
            <span className="muted">{operator.founder}</span>
          )}
        </div>
      </div>
      <p className="prose">{operator.description}</p>
      {hasDetails(operator) ? (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways */}
          <div className="equation" role="math" tabIndex={0} aria-label={operator.equation}>
            {operator.equation}
          </div>
          {operator.computable ? (
            <Calculator operator={operator} />
          ) : (
            <p className="notice">
              This operator is a statement, not a formula: there is nothing to compute.
            </p>
          )}
        </>
      ) : (
        <p className="notice">
          <span>
            <a href={href('apis')}>Sign in</a> to see its equation and parameters, and to compute with it.
          </span>
        </p>
      )}
    </section>
  );
}
