import { type ReactNode, useEffect, useRef } from 'react';

interface PageHeadingProps {
  title: string;
  /** In the browser's tab, before the name of the product. */
  tabTitle?: string;
  lead?: ReactNode;
  actions?: ReactNode;
  before?: ReactNode;
}

let isFirst = true;

/** The heading of a view. It takes the focus when the view comes, so that keyboard and screen reader follow. */
export function PageHeading({ title, tabTitle = title, lead, actions, before }: PageHeadingProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${tabTitle} · Zeq mesh`;
    if (!isFirst) ref.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [tabTitle]);
  return (
    <header className="page-heading">
      {before}
      <div className="page-heading-row">
        <h1 ref={ref} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {lead && <div className="lead">{lead}</div>}
    </header>
  );
}
