import type { AppCaller, IdentifyAnswer, OwnerCaller } from '@zeq/contracts';
import { mintToken, newId, sha256Hex } from '@zeq/crypto';

/** A token, and what the vault would say of it. */
export interface Person {
  token: string;
  answer: IdentifyAnswer;
}

export const ALICE_MACHINE = newId('mch');
export const BOB_MACHINE = newId('mch');
const API = newId('api');

export function owner(slug: string, scope: OwnerCaller['scope'] = 'owner', expired = false): Person {
  const machine_id = slug === 'alice' ? ALICE_MACHINE : BOB_MACHINE;
  const caller: OwnerCaller = { kind: 'owner', machine_id, slug, key_id: newId('key'), scope };
  return { token: mintToken('zsm_').token, answer: { caller, expires_at: null, expired } };
}

export function app(slug: string, expired = false): Person {
  const machine_id = slug === 'alice' ? ALICE_MACHINE : BOB_MACHINE;
  const caller: AppCaller = {
    kind: 'app',
    machine_id,
    slug,
    token_id: newId('tok'),
    api_ids: [API],
    allowed_methods: null,
    allowed_path_prefixes: null,
    rate_limit_per_min: null,
  };
  return { token: mintToken('zat_').token, answer: { caller, expires_at: null, expired } };
}

/** What the fake vault looks tokens and keys up in. */
export class Register {
  readonly #answers = new Map<string, IdentifyAnswer>();

  add<T extends Person>(person: T): T {
    const { token, answer } = person;
    this.#answers.set(sha256Hex(token), answer);
    if (answer.caller.kind === 'owner') this.#answers.set(answer.caller.key_id, answer);
    return person;
  }

  remove({ token, answer }: Person): void {
    this.#answers.delete(sha256Hex(token));
    if (answer.caller.kind === 'owner') this.#answers.delete(answer.caller.key_id);
  }

  find(key: string): IdentifyAnswer | undefined {
    return this.#answers.get(key);
  }
}
