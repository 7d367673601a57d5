import { useEffect, useRef, useState } from 'react';
import { type ConsoleRequest, type Progress, sendAndReport } from './send.ts';

export interface Sending {
  progress: Progress | undefined;
  isRunning: boolean;
  send: (request: ConsoleRequest) => void;
  stop: () => void;
}

/** At most one request at a time, drawn at most once a frame, stopped when the view goes. */
export function useSending(): Sending {
  const [progress, setProgress] = useState<Progress>();
  const running = useRef<AbortController>(undefined);
  const latest = useRef<Progress>(undefined);
  const frame = useRef(0);
  useEffect(() => () => running.current?.abort(), []);
  const report = (next: Progress) => {
    latest.current = next;
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      setProgress(latest.current);
    });
  };
  const send = (request: ConsoleRequest) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const reportOwn = (next: Progress) => void (running.current === controller && report(next));
    void sendAndReport(request, reportOwn, controller.signal);
  };
  const isRunning = progress?.state === 'waiting' || progress?.state === 'streaming';
  return { progress, isRunning, send, stop: () => running.current?.abort() };
}
