import { useSyncExternalStore } from 'react';

interface Message {
  id: number;
  text: string;
}

const SHOWN_MS = 5_000;
let messages: readonly Message[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

/** Says something in passing, to eye and ear. What needs an answer belongs into a dialog. */
export function say(text: string): void {
  const message = { id: nextId++, text };
  set([...messages.slice(-2), message]);
  setTimeout(() => set(messages.filter((other) => other !== message)), SHOWN_MS);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => messages);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text }) => (
        <div key={id} className="toast">
          {text}
        </div>
      ))}
    </div>
  );
}

function set(next: readonly Message[]): void {
  messages = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
