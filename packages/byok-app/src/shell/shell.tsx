import { type ReactNode, useEffect, useState } from 'react';
import { signOut, useSession } from '../api/session.ts';
import { href, useRoute } from '../router.ts';
import { Button } from '../ui/button.tsx';
import {
  AutoIcon,
  ClockIcon,
  CrossIcon,
  KeyIcon,
  LayersIcon,
  Mark,
  MenuIcon,
  MoonIcon,
  OutIcon,
  RotateIcon,
  SigmaIcon,
  SunIcon,
} from '../ui/icons.tsx';
import { say } from '../ui/toast.tsx';
import { chooseTheme, readTheme, THEMES, type Theme } from './theme.ts';

/** Navigation at the side (behind a button on a phone) and the view beside it. */
export function Shell({ children }: { children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const route = useRoute();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view closes the menu
  useEffect(() => setOpen(false), [route.join('/')]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && setOpen(false);
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <button type="button" className="button skip" onClick={focusMain}>
        Skip to content
      </button>
      <div className="shell">
        <header className="bar">
          <Brand />
          <Button
            kind="quiet"
            className="icon-button"
            aria-label="Menu"
            aria-expanded={isOpen}
            aria-controls="nav"
            onClick={() => setOpen(!isOpen)}
            icon={isOpen ? <CrossIcon /> : <MenuIcon />}
          />
        </header>
        <Navigation isOpen={isOpen} current={route[0] ?? 'apis'} />
        <main className="main" id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </>
  );
}

const focusMain = () => document.getElementById('main')?.focus();

const Brand = () => (
  <a className="brand" href={href()}>
    <Mark />
    Zeq mesh
  </a>
);

function Navigation({ isOpen, current }: { isOpen: boolean; current: string }) {
  const session = useSession();
  const isIn = session.state === 'in' || session.state === 'ended';
  const link = (name: string, label: string, icon: ReactNode, also?: string) => (
    <li>
      <a href={href(name)} aria-current={current === name || current === also ? 'page' : undefined}>
        {icon}
        {label}
      </a>
    </li>
  );
  return (
    <nav className={`nav ${isOpen ? 'nav-open' : ''}`} id="nav" aria-label="Main">
      <Brand />
      <ul className="nav-links">
        {link('apis', 'APIs', <LayersIcon />, 'add')}
        {isIn && session.scope === 'owner' && link('keys', 'Machine keys', <KeyIcon />)}
      </ul>
      <p className="nav-group">Mesh</p>
      <ul className="nav-links">
        {link('operators', 'Operators', <SigmaIcon />)}
        {link('clock', 'Clock', <ClockIcon />)}
        {link('rotation', 'Key rotation', <RotateIcon />)}
      </ul>
      <div className="nav-foot">
        {isIn && (
          <div className="nav-machine">
            <span className="muted">Machine</span>
            <strong>{session.slug}</strong>
            {session.scope !== 'owner' && <span className="faint">may {session.scope} only</span>}
          </div>
        )}
        <div className="nav-tools">
          <ThemeButton />
          {isIn ? (
            <Button kind="quiet" icon={<OutIcon />} onClick={leave}>
              Sign out
            </Button>
          ) : (
            <a className="button" href={href('apis')}>
              Sign in
            </a>
          )}
        </div>
      </div>
    </nav>
  );
}

function leave(): void {
  signOut().catch((err: Error) => say(`Not signed out: ${err.message}`));
}

const THEME_ICONS: Record<Theme, ReactNode> = { auto: <AutoIcon />, light: <SunIcon />, dark: <MoonIcon /> };

function ThemeButton() {
  const [theme, setTheme] = useState(readTheme);
  const turn = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <Button kind="quiet" icon={THEME_ICONS[theme]} onClick={turn} aria-label={`Theme: ${theme}`}>
      {theme[0]?.toUpperCase() + theme.slice(1)}
    </Button>
  );
}
