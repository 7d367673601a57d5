import type { ReactNode } from 'react';
import { useRows } from './use-rows.ts';

export interface Column<T> {
  label: string;
  cell: (row: T) => ReactNode;
  /** A CSS width; columns without one share what is left. Fixed, so that nothing moves while rows come and go. */
  width?: string;
  /** The label is for assistive technology only. */
  isLabelHidden?: true;
  className?: string;
}

interface DataTableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  /** px */
  rowHeight: number;
  className?: string;
  rowClass?: (row: T) => string;
}

/**
 * A table of any length. Rows outside of the screen are two blocks of empty space, so the columns stay one real table, and
 * `aria-rowindex` tells where a row stands in the whole. On a phone each row becomes a card.
 */
export function DataTable<T extends { id: string }>(props: DataTableProps<T>) {
  const { caption, columns, rows, rowHeight, className = '', rowClass } = props;
  const { ref, drawn, before, after, measure } = useRows<HTMLTableSectionElement>(rows.length, rowHeight);
  return (
    <table className={`table table-cards ${className}`} aria-rowcount={rows.length + 1}>
      <caption className="sr-only">{caption}</caption>
      <colgroup>
        {columns.map(({ label, width }) => (
          <col key={label} style={width === undefined ? undefined : { width }} />
        ))}
      </colgroup>
      <Head columns={columns} />
      <tbody ref={ref}>
        <Space height={before} columns={columns.length} />
        {drawn.map((index) => {
          const row = rows[index];
          return (
            row && (
              <tr
                key={row.id}
                ref={measure}
                data-index={index}
                aria-rowindex={index + 2}
                className={rowClass?.(row)}
              >
                {columns.map(({ label, cell, className: cellClass }) => (
                  <td key={label} data-label={label} className={cellClass}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            )
          );
        })}
        <Space height={after} columns={columns.length} />
      </tbody>
    </table>
  );
}

const Head = <T,>({ columns }: { columns: readonly Column<T>[] }) => (
  <thead>
    <tr aria-rowindex={1}>
      {columns.map(({ label, isLabelHidden, className }) => (
        <th key={label} scope="col" className={className}>
          {isLabelHidden ? <span className="sr-only">{label}</span> : label}
        </th>
      ))}
    </tr>
  </thead>
);

/** The room of rows that are not drawn. */
const Space = ({ height, columns }: { height: number; columns: number }) =>
  height === 0 ? null : (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without anything in it takes no focus
    <tr className="row-space" aria-hidden="true">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
