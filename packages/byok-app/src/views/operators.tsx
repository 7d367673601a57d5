import { useDeferredValue, useState } from 'react';
import { operatorApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useSession } from '../api/session.ts';
import { OperatorList } from '../operators/operator-list.tsx';
import { OperatorPanel } from '../operators/operator-panel.tsx';
import { OperatorSearch } from '../operators/operator-search.tsx';
import type { Route } from '../router.ts';
import { PageHeading } from '../ui/heading.tsx';
import { SigmaIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';

const PAGE = 50;

/** The catalogue of operators, and a calculator for each. */
export default function OperatorsView({ rest: [chosen] }: { rest: Route }) {
  const session = useSession();
  const [words, setWords] = useState('');
  const [tier, setTier] = useState('');
  const [limit, setLimit] = useState(PAGE);
  const q = useDeferredValue(words.trim());
  const query = { limit: String(limit), ...(q !== '' && { q }), ...(tier !== '' && { tier }) };
  const who = session.state === 'in' ? session.slug : 'public';
  const page = useResource(`operators/${who}?${new URLSearchParams(query)}`, (signal) =>
    operatorApi.browse(query, signal),
  );
  return (
    <>
      <PageHeading
        title="Operators"
        lead="Physics and mathematics as checked functions: units are verified, results are stamped with the clock and carry a proof."
      />
      <OperatorSearch words={words} tier={tier} onWords={setWords} onTier={setTier} />
      <div className="catalogue">
        <Loaded resource={page} skeleton={<SkeletonRows rows={8} height={58} />}>
          {(data) => (
            <OperatorList
              page={data}
              chosen={chosen}
              isLoading={page.isLoading}
              onMore={() => setLimit(limit + 2 * PAGE)}
            />
          )}
        </Loaded>
        <div className="sticky">
          {chosen === undefined ? (
            <Empty title="Choose an operator" art={<SigmaIcon />}>
              <p>Its parameters and a calculator appear here.</p>
            </Empty>
          ) : (
            <OperatorPanel key={`${chosen}/${who}`} id={chosen} who={who} />
          )}
        </div>
      </div>
    </>
  );
}
