import type { OperatorPage } from '../api/mesh.ts';
import { href } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { SigmaIcon } from '../ui/icons.tsx';
import { Empty } from '../ui/states.tsx';

interface OperatorListProps {
  page: OperatorPage;
  chosen: string | undefined;
  isLoading: boolean;
  onMore: () => void;
}

/** The operators that fit, a page at a time. What is off the screen is not laid out (content-visibility). */
export function OperatorList({ page: { operators, total }, chosen, isLoading, onMore }: OperatorListProps) {
  if (operators.length === 0)
    return (
      <Empty title="No operator fits" art={<SigmaIcon />}>
        <p>Try another word, or all tiers.</p>
      </Empty>
    );
  return (
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
        <Button isBusy={isLoading} onClick={onMore}>
          Show more
        </Button>
      )}
    </div>
  );
}
