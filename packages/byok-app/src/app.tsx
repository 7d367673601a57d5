import { type ComponentType, lazy, Suspense, useEffect } from 'react';
import { followSession, useSession } from './api/session.ts';
import { type Route, useRoute } from './router.ts';
import { AwayBanner, Waiting } from './shell/away.tsx';
import { EndedDialog } from './shell/ended-dialog.tsx';
import { ErrorBoundary } from './shell/error-boundary.tsx';
import { Shell } from './shell/shell.tsx';
import { SkeletonRows } from './ui/states.tsx';
import { Toasts } from './ui/toast.tsx';
import { ApisView } from './views/apis.tsx';
import { NotHere } from './views/not-here.tsx';
import { SignIn } from './views/sign-in.tsx';

/** What is not needed for the first look comes when it is asked for. */
const AddView = lazy(() => import('./views/add.tsx'));
const ApiDetailView = lazy(() => import('./views/api-detail.tsx'));
const KeysView = lazy(() => import('./views/keys.tsx'));
const OperatorsView = lazy(() => import('./views/operators.tsx'));
const ClockView = lazy(() => import('./views/clock.tsx'));
const RotationView = lazy(() => import('./views/rotation.tsx'));

interface View {
  Component: ComponentType<{ rest: Route }>;
  /** Whether it can be looked at without a session. */
  isOpen?: true;
}

const VIEWS: Record<string, View> = {
  apis: { Component: ApiDetailView },
  add: { Component: AddView },
  keys: { Component: KeysView },
  operators: { Component: OperatorsView, isOpen: true },
  clock: { Component: ClockView, isOpen: true },
  rotation: { Component: RotationView, isOpen: true },
};

export function App() {
  const session = useSession();
  const route = useRoute();
  useEffect(followSession, []);
  const place = route.slice(0, 3).join('/');
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view begins at its top
  useEffect(() => void scrollTo(0, 0), [place]);
  const { Component, isOpen } = viewOf(route);
  const mustSignIn = session.state === 'out' && !isOpen;
  return (
    <>
      {session.state === 'unknown' ? (
        <Waiting problem={session.problem} />
      ) : mustSignIn ? (
        <SignIn />
      ) : (
        <Shell>
          <ErrorBoundary key={route.slice(0, 2).join('/')}>
            <Suspense fallback={<SkeletonRows rows={4} />}>
              <Component rest={route.slice(1)} />
            </Suspense>
          </ErrorBoundary>
          {session.state === 'ended' && <EndedDialog />}
        </Shell>
      )}
      <AwayBanner />
      <Toasts />
    </>
  );
}

function viewOf(route: Route): View {
  const [name] = route;
  if (name === undefined || (name === 'apis' && route.length === 1)) return { Component: ApisView };
  return VIEWS[name] ?? { Component: NotHere, isOpen: true };
}
