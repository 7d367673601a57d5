import { type Audience, type Caller, refuseAccess } from '../src/index.ts';

const owner = (scope: 'owner' | 'forward' | 'read'): Caller => ({
  kind: 'owner',
  machine_id: `mch_${'a'.repeat(22)}`,
  slug: 'alice',
  key_id: `key_${'a'.repeat(22)}`,
  scope,
});
const app: Caller = {
  kind: 'app',
  machine_id: `mch_${'a'.repeat(22)}`,
  slug: 'alice',
  token_id: `tok_${'a'.repeat(22)}`,
  api_ids: [],
  allowed_methods: null,
  allowed_path_prefixes: null,
  rate_limit_per_min: null,
};
const callers = {
  anonymous: { kind: 'anonymous' },
  platform: { kind: 'platform' },
  operator: { kind: 'operator' },
  owner: owner('owner'),
  forwardKey: owner('forward'),
  readKey: owner('read'),
  app,
} satisfies Record<string, Caller>;

const OK = undefined;
const U = 'unauthorized';
const F = 'forbidden';

/** One row per audience: what each kind of caller gets under its own slug. */
const TABLE: Record<Audience, Record<keyof typeof callers, string | undefined>> = {
  public: { anonymous: OK, platform: OK, operator: OK, owner: OK, forwardKey: OK, readKey: OK, app: OK },
  optional: { anonymous: OK, platform: OK, operator: OK, owner: OK, forwardKey: OK, readKey: OK, app: OK },
  platform: { anonymous: U, platform: OK, operator: U, owner: U, forwardKey: U, readKey: U, app: U },
  operator: { anonymous: U, platform: U, operator: OK, owner: U, forwardKey: U, readKey: U, app: U },
  owner: { anonymous: U, platform: U, operator: U, owner: OK, forwardKey: F, readKey: F, app: F },
  reader: { anonymous: U, platform: U, operator: U, owner: OK, forwardKey: OK, readKey: OK, app: F },
  forward: { anonymous: U, platform: U, operator: U, owner: OK, forwardKey: OK, readKey: F, app: OK },
  bearer: { anonymous: U, platform: U, operator: U, owner: OK, forwardKey: OK, readKey: OK, app: F },
};

const rows = Object.entries(TABLE).flatMap(([audience, row]) =>
  Object.entries(row).map(([caller, expected]) => [audience, caller, expected] as const),
);

describe('refuseAccess', () => {
  it.each(rows)('%s route, %s: %s', (audience, caller, expected) => {
    const refusal = refuseAccess(audience as Audience, callers[caller as keyof typeof callers], 'alice');

    expect(refusal).toBe(expected);
  });

  it.each(['owner', 'reader', 'forward'] as const)(
    'hides a foreign slug of a %s route behind not_found',
    (audience) => {
      expect(refuseAccess(audience, callers.owner, 'bob')).toBe('not_found');
      expect(refuseAccess(audience, callers.readKey, 'bob')).toBe('not_found');
      expect(refuseAccess(audience, callers.app, 'bob')).toBe('not_found');
    },
  );
});
