import { useEffect, useRef } from 'react';
import { href } from '../router.ts';

/** The parts of an API's view, in their order. */
export const TABS = {
  connect: 'Connect',
  console: 'Console',
  usage: 'Usage',
  activity: 'Activity',
  record: 'Record',
  tokens: 'Tokens',
  settings: 'Settings',
} as const;
export type Tab = keyof typeof TABS;
export const TAB_NAMES = Object.keys(TABS) as Tab[];

interface TabBarProps {
  names: readonly Tab[];
  current: Tab;
  api: string;
}

export function TabBar({ names, current, api }: TabBarProps) {
  const ref = useRef<HTMLElement>(null);
  // on a phone the bar is wider than the screen
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tab may lie outside of the bar
  useEffect(() => {
    const link = ref.current?.querySelector<HTMLElement>('[aria-current]');
    if (link && ref.current) ref.current.scrollLeft = link.offsetLeft - EDGE_PX;
  }, [current]);
  return (
    <nav className="tabs" aria-label={`Parts of ${api}`} ref={ref}>
      {names.map((name) => (
        <a key={name} href={href('apis', api, name)} aria-current={name === current ? 'page' : undefined}>
          {TABS[name]}
        </a>
      ))}
    </nav>
  );
}

/** So much of the tabs in front stays in sight (px). */
const EDGE_PX = 90;
