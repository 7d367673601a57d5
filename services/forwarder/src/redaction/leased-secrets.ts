import { type OpenedLease, wipe } from '@zeq/crypto';
import { formsOf } from './forms.ts';
import { buildTable, Matcher } from './matcher.ts';
import { SealedTable } from './sealed-table.ts';

/**
 * The forms of one lease's credential. They are worked out once and kept sealed; they are in clear text while there is a call
 * whose answer has to be searched, are shared by all such calls, and are overwritten when the last of them has ended: before this
 * process waits for anything again, so that calls which end and begin in one turn of its loop share them as well.
 */
export class LeasedSecrets {
  readonly #credential: OpenedLease;
  #sealed: SealedTable | typeof NONE | undefined;
  #matcher: Matcher | undefined;
  #holders = 0;
  #wipesSoon = false;

  constructor(credential: OpenedLease) {
    this.#credential = credential;
  }

  /**
   * @returns undefined when no form is long enough to be told from ordinary text; the vault takes no such credential.
   * @throws LeaseError if the sealed bytes were changed.
   */
  acquire(): Matcher | undefined {
    this.#matcher ??= this.#open();
    if (this.#matcher !== undefined) this.#holders += 1;
    return this.#matcher;
  }

  /** Once for each matcher that `acquire` gave out. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0 || this.#wipesSoon) return;
    this.#wipesSoon = true;
    setImmediate(() => this.#wipe());
  }

  #wipe(): void {
    this.#wipesSoon = false;
    if (this.#holders > 0) return;
    this.#matcher?.wipe();
    this.#matcher = undefined;
  }

  #open(): Matcher | undefined {
    if (this.#sealed === undefined) this.#sealed = sealForms(this.#credential);
    return this.#sealed === NONE ? undefined : new Matcher(this.#sealed.open());
  }
}

const NONE = 'none';

function sealForms(lease: OpenedLease): SealedTable | typeof NONE {
  const credential = lease.open();
  const forms = formsOf(credential);
  const sealed = forms.length === 0 ? NONE : new SealedTable(buildTable(forms));
  wipe(credential, ...forms);
  return sealed;
}
