import { AuditHead, type CloseAudit, SERVICE_TOKEN_HEADER, STALE_AFTER_MS } from '@zeq/contracts';
import { auditHeadDigest, zeqondOf } from '@zeq/crypto';
import { type Logger, safeError, type TimeSource } from '@zeq/service-kit';

/** Gives the head of the audit log, and lets the log know that ticks after this Zeqond bind it. */
export type CloseLog = (zeqond: number) => Promise<AuditHead>;

export interface AuditWatchDeps {
  time: TimeSource;
  log: Logger;
  closeLog: CloseLog;
  onFailure: () => void;
}

/**
 * Holds what ticks bind of the vault's audit log. It is asked for between the borders, never at one: a vault that is slow or away
 * costs no tick its time. A head that could not be renewed for five seconds is bound no longer.
 */
export class AuditWatch {
  readonly #deps: AuditWatchDeps;
  #head: { digest: Buffer; at: number } | undefined;
  #asking = false;
  #failing = false;

  constructor(deps: AuditWatchDeps) {
    this.#deps = deps;
  }

  /** The 32 bytes for the next tick. */
  get bound(): Buffer | undefined {
    const { time } = this.#deps;
    if (this.#head === undefined || time.monotonicMs() - this.#head.at > STALE_AFTER_MS) return undefined;
    return this.#head.digest;
  }

  /** One question at a time. */
  async ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { time, log, closeLog, onFailure } = this.#deps;
    try {
      const { size, root } = await closeLog(zeqondOf(time.wallMs()));
      this.#head = { digest: auditHeadDigest(size, Buffer.from(root, 'hex')), at: time.monotonicMs() };
      if (this.#failing) log.info('ticks bind the audit log again');
      this.#failing = false;
    } catch (err) {
      onFailure();
      if (!this.#failing) log.warn({ err: safeError(err) }, 'the audit log cannot be asked for its head');
      this.#failing = true;
    } finally {
      this.#asking = false;
    }
  }
}

/** @param token Signs a service token for byok-vault. */
export function closeLogAt(vaultUrl: string, token: () => string, timeoutMs: number): CloseLog {
  return async (zeqond) => {
    const answer = await fetch(new URL('/internal/audit/close', vaultUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', [SERVICE_TOKEN_HEADER]: token() },
      body: JSON.stringify({ zeqond } satisfies CloseAudit),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (answer.status === 200) return AuditHead.parse(await answer.json());
    await answer.body?.cancel();
    throw new Error(`the vault answered ${answer.status}`);
  };
}
