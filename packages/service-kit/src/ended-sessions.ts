/** More than these are not kept; those that would end soonest go first. */
const MAX_KEPT = 100_000;

/**
 * Sessions that somebody has signed out of, until they would have ended by themselves: a session is a signed token, so nothing
 * but a list can take it back. In process; `takeUntold` and `learn` are for whoever tells other replicas.
 */
export class EndedSessions {
  /** Session id to the Unix second from which its tokens are expired anyway; in the order of that second. */
  readonly #until = new Map<string, number>();
  #untold: [sid: string, until: number][] = [];

  /** @param until Unix seconds. */
  end(sid: string, until: number): void {
    this.learn(sid, until);
    this.#untold.push([sid, until]);
    if (this.#untold.length > MAX_KEPT) this.#untold.shift();
  }

  /** As told by another replica: it is not told on. */
  learn(sid: string, until: number): void {
    this.#until.delete(sid);
    this.#until.set(sid, until);
    if (this.#until.size > MAX_KEPT) this.#until.delete(this.#until.keys().next().value!);
  }

  has(sid: string): boolean {
    return this.#until.has(sid);
  }

  /** Forgets what has expired by now (Unix seconds). */
  prune(now: number): void {
    for (const [sid, until] of this.#until) {
      if (until > now) return;
      this.#until.delete(sid);
    }
  }

  /** What ended here since the last time; whoever cannot tell it gives it back with `keepUntold`. */
  takeUntold(): [sid: string, until: number][] {
    const untold = this.#untold;
    this.#untold = [];
    return untold;
  }

  keepUntold(untold: [sid: string, until: number][]): void {
    this.#untold = [...untold, ...this.#untold].slice(-MAX_KEPT);
  }
}
