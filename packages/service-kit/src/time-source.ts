/** Time as an argument: a test lets it jump, stall and drift. */
export interface TimeSource {
  /** Unix milliseconds. May jump either way when somebody sets the clock. */
  wallMs(): number;
  /** Milliseconds that only ever go forward. */
  monotonicMs(): number;
  /** Calls once after a delay by monotonic time, perhaps a little early or late. @returns Cancels it. */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** The machine's clocks. */
export const systemTime: TimeSource = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
