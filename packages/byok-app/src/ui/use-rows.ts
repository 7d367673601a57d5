import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useLayoutEffect, useRef, useState } from 'react';

/** From here on only what is near the screen is drawn. Below it nothing is gained, and the browser's own search finds every row. */
export const VIRTUAL_FROM = 80;
/** Rows drawn above and below the screen: the Tab key always finds the next one. */
const OVERSCAN = 12;

export interface Rows<E extends Element> {
  /** The element whose top is the beginning of the rows. */
  ref: RefObject<E | null>;
  /** Indexes of the rows to draw. */
  drawn: readonly number[];
  /** What is not drawn above and below them (px). */
  before: number;
  after: number;
  /** As `ref` of each row, beside `data-index`: rows are as high as they turn out. */
  measure: (row: Element | null) => void;
}

/** Which rows of a long list are drawn while the window scrolls over it. @param rowHeight Until one is measured (px). */
export function useRows<E extends Element>(count: number, rowHeight: number): Rows<E> {
  const ref = useRef<E>(null);
  const [top, setTop] = useState(0);
  const isLong = count >= VIRTUAL_FROM;
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (box) setTop(Math.round(box.top + scrollY));
  });
  const virtualizer = useWindowVirtualizer({
    count: isLong ? count : 0,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    scrollMargin: top,
    useFlushSync: false,
  });
  if (!isLong)
    return { ref, drawn: Array.from({ length: count }, (_, i) => i), before: 0, after: 0, measure: ignore };
  const items = virtualizer.getVirtualItems();
  return {
    ref,
    drawn: items.map(({ index }) => index),
    before: Math.max(0, (items[0]?.start ?? top) - top),
    after: Math.max(0, virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top)),
    measure: virtualizer.measureElement,
  };
}

const ignore = () => undefined;
