import { useEffect, useRef, useState } from 'react';
import { useMachine } from '../api/session.ts';
import { noteKey } from '../clock/known-key.ts';
import { useAction } from '../ui/use-action.ts';
import type { CallSource } from './verify-call.ts';
import type { RecordSource } from './verify-record.ts';
import type { Vouch } from './vouch.ts';

export interface Verifying<V> {
  verdict: V | undefined;
  /** The next tick, or the record of a call, is waited for. */
  isWaiting: boolean;
  isBusy: boolean;
  error: Error | undefined;
  run: () => void;
}

/** Something that is verified when somebody asks for it; the code that does it comes then, too. */
export function useVerdict<V extends Vouch>(
  apiRef: string,
  verify: (source: CallSource & RecordSource) => Promise<V>,
): Verifying<V> {
  const { slug } = useMachine();
  const [verdict, setVerdict] = useState<V>();
  const [isWaiting, setWaiting] = useState(false);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const { run, isBusy, error } = useAction(async () => {
    running.current = new AbortController();
    setWaiting(false);
    setVerdict(undefined);
    const { sourceOf } = await import('./source.ts');
    const found = await verify(sourceOf(slug, apiRef, running.current.signal, () => setWaiting(true)));
    if (found.state === 'verified') noteKey(found.tick.tesc.public_key);
    setVerdict(found);
  });
  return { verdict, isWaiting, isBusy, error, run: () => void run() };
}
