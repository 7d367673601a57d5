import { HITE_SESSION_MS, type HiteSession, ReplayWindow } from '@zeq/crypto';
import { ProblemError, systemTime, type TimeSource } from '@zeq/service-kit';
import { type HiteSessions, MAX_SESSIONS, type Taken } from './sessions.ts';

/** What is over is looked for this often (ms). */
const SWEEP_EVERY_MS = 60_000;

interface Kept {
  session: HiteSession;
  window: ReplayWindow;
  /** Monotonic ms: a clock that is set back must not prolong a session. */
  endsAt: number;
}

/** The sessions of one gateway that has no Redis. */
export class LocalSessions implements HiteSessions {
  /** Sessions that carried no frame yet, the oldest first: what a flood of handshakes leaves behind. */
  readonly #unused = new Map<string, Kept>();
  readonly #used = new Map<string, Kept>();
  readonly #time: TimeSource;
  readonly #max: number;
  #sweepAt = 0;

  constructor(time: TimeSource = systemTime, max = MAX_SESSIONS) {
    this.#time = time;
    this.#max = max;
  }

  async add(session: HiteSession): Promise<void> {
    const now = this.#time.monotonicMs();
    this.#sweep(now);
    if (this.#unused.size + this.#used.size >= this.#max) this.#makeRoom();
    const endsAt = now + HITE_SESSION_MS;
    this.#unused.set(session.id, { session, window: new ReplayWindow(), endsAt });
  }

  async find(id: string): Promise<HiteSession | undefined> {
    return this.#kept(id)?.session;
  }

  async take(id: string, counter: number): Promise<Taken> {
    const kept = this.#kept(id);
    if (kept === undefined) return 'unknown';
    if (this.#unused.delete(id)) this.#used.set(id, kept);
    return kept.window.accept(counter) ? 'accepted' : 'replayed';
  }

  #kept(id: string): Kept | undefined {
    const kept = this.#used.get(id) ?? this.#unused.get(id);
    return kept !== undefined && this.#time.monotonicMs() < kept.endsAt ? kept : undefined;
  }

  #makeRoom(): void {
    const oldest = this.#unused.keys().next();
    if (oldest.done) throw new ProblemError('overloaded', 'There are too many HITE sessions.');
    this.#unused.delete(oldest.value);
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_EVERY_MS;
    for (const sessions of [this.#unused, this.#used]) {
      for (const [id, { endsAt }] of sessions) if (endsAt <= now) sessions.delete(id);
    }
  }
}
