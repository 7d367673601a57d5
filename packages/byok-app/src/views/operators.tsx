import { useDeferredValue, useState } from 'react';
import { operatorApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useSession } from '../api/session.ts';
import { OperatorPanel } from '../operators/operator-panel.tsx';
import { href, type Route } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { SearchIcon, SigmaIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';

/** From contracts; written here so that the first load carries no schema. */
const TIERS = ['Core Physics', 'Applied Science', 'Computational', 'Experimental'];
const PAGE = 50;

/** The catalogue of operators, and a calculator for each. */
export default function OperatorsView({ rest }: { rest: Route }) {
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
  const chosen = rest[0];
  return (
    <>
      <PageHeading
        title="Operators"
        lead="Physics and mathematics as checked functions: units are verified, results are stamped with the clock and carry a proof."
      />
      <div className="toolbar">
        <search className="search">
          <SearchIcon />
          <TextField
            label="Search operators"
            isLabelHidden
            type="search"
            placeholder="Id, name or what it describes"
            value={words}
            onChange={(event) => setWords(event.target.value.slice(0, 200))}
          />
        </search>
        <SelectField
          label="Tier"
          isLabelHidden
          value={tier}
          onChange={(event) => setTier(event.target.value)}
        >
          <option value="">All tiers</option>
          {TIERS.map((label, i) => (
            <option key={label} value={i + 1}>
              {label}
            </option>
          ))}
        </SelectField>
      </div>
      <div className="catalogue">
        <Loaded resource={page} skeleton={<SkeletonRows rows={8} height={58} />}>
          {({ operators, total }) =>
            operators.length === 0 ? (
              <Empty title="No operator fits" art={<SigmaIcon />}>
                <p>Try another word, or all tiers.</p>
              </Empty>
            ) : (
              <div className="stack">
                <p className="muted numbers" role="status">
                  {total} {total === 1 ? 'operator' : 'operators'}
                </p>
                <ul className="card operator-list">
                  {operators.map(({ id, name, description, tierLabel }) => (
                    <li key={id}>
                      <a href={href('operators', id)} aria-current={id === chosen ? 'true' : undefined}>
                        <strong>{name}</strong>
                        <span className="faint">{tierLabel}</span>
                        <p className="ellipsis">
                          <span className="mono">{id}</span> · {description}
                        </p>
                      </a>
                    </li>
                  ))}
                </ul>
                {operators.length < total && (
                  <Button isBusy={page.isLoading} onClick={() => setLimit(limit + 2 * PAGE)}>
                    Show more
                  </Button>
                )}
              </div>
            )
          }
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
