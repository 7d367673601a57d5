import { createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  type AttestedTick,
  attestTick,
  checkTick,
  factsOf,
  firstBrokenLink,
  type Gap,
  genesisChain,
  type Head,
  headOf,
  keyFromSecret,
  NO_PLAT,
  nextChain,
  platInput,
  platOf,
  type TickSigner,
  TickVerifier,
  tickContentDigest,
} from '../src/index.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
);
const hex = (text: string) => Buffer.from(text, 'hex');
const secretKey = (text: string) => createSecretKey(hex(text));

function signerOf(uid = 'genesis-node'): TickSigner {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = Buffer.from(String(createPublicKey(privateKey).export({ format: 'jwk' }).x), 'base64url');
  return {
    uid,
    platKey: keyFromSecret(`the secret of ${uid}`, 'zeq/sync/plat/v1'),
    signingKey: privateKey,
    publicKey,
  };
}
const signer = signerOf();
const FIRST = 2_240_024_711;
const start: Head = {
  depth: 0,
  zeqond: FIRST - 1,
  plat: NO_PLAT,
  chain: genesisChain(Buffer.alloc(32, 7), signer.uid),
};

/** A chain over the given Zeqonds; what is left out is stated as a gap. */
function chainOver(zeqonds: number[], by = signer, from = start, late = 0): AttestedTick[] {
  let head = from;
  return zeqonds.map((zeqond, index) => {
    const missed = zeqond - head.zeqond - 1;
    const gap: Gap | undefined = missed > 0 ? { after: head.zeqond, missed, reason: 'stall' } : undefined;
    const facts = {
      timestampMs: zeqond * 777 + late + (index % 700),
      connections: index,
      ...(gap && { gap }),
    };
    const tick = attestTick(by, head, facts);
    head = headOf(tick);
    return tick;
  });
}
const consecutive = (count: number) => Array.from({ length: count }, (_, index) => FIRST + index);

describe('the published vectors of the clock', () => {
  it('give the same PLAT from the same bytes', () => {
    for (const { channel, uid, zeqond, previous, content_sha256, key, input, plat } of vectors.plats) {
      const fields = { channel, uid, zeqond, previous: hex(previous), contentDigest: hex(content_sha256) };
      expect(platInput(fields).toString('hex')).toBe(input);
      expect(platOf(secretKey(key), fields).toString('hex')).toBe(plat);
    }
  });

  it('give the same content, chain and signature for every tick', () => {
    let chain: Buffer = genesisChain(hex(vectors.chain.seed), vectors.chain.uid);
    for (const { tick, content_sha256 } of vectors.ticks) {
      chain = nextChain(chain, hex(tick.tesc.plat), tick.zeqond, tick.tesc.uid);
      expect(tickContentDigest(factsOf(tick)).toString('hex')).toBe(content_sha256);
      expect(chain.toString('hex')).toBe(tick.tesc.chain);
      expect(checkTick(tick, secretKey(vectors.keys[0].key))).toBeUndefined();
    }
  });

  it('name the same fault for every tampered field', () => {
    for (const { fault, tick } of vectors.tampered) expect(checkTick(tick)).toBe(fault);
  });
});

describe('checkTick', () => {
  const [tick] = chainOver([FIRST + 3], signer, start, 70) as [AttestedTick];

  it('accepts what attestTick made, with the PLAT key and without', () => {
    expect(checkTick(tick)).toBeUndefined();
    expect(checkTick(tick, signer.platKey)).toBeUndefined();
    expect(checkTick(JSON.parse(JSON.stringify(tick)), signer.platKey)).toBeUndefined();
  });

  it('refuses a tick in which any one field was changed, taken away or given another type', () => {
    const paths = [
      'zeqond',
      'phase',
      'phaseRadians',
      'timestamp',
      'ko42',
      'frequency',
      'connections',
      'type',
    ];
    const inner = ['after', 'missed', 'reason'].map((name) => `gap.${name}`);
    const attested = Object.keys(tick.tesc).map((name) => `tesc.${name}`);
    const path = fc.constantFrom(...paths, ...inner, ...attested, 'gap', 'tesc');

    fc.assert(
      fc.property(path, fc.jsonValue(), (where, value) => {
        const changed = JSON.parse(JSON.stringify(tick));
        const names = where.split('.');
        const last = names.pop()!;
        const owner = names.reduce((object, name) => object[name], changed);
        fc.pre(JSON.stringify(owner[last]) !== JSON.stringify(value));
        // Sines differ in their last bit between runtimes: below 1e-15 it is the same number.
        fc.pre(where !== 'ko42' || typeof value !== 'number' || Math.abs(value - tick.ko42) > 1e-15);
        owner[last] = value;
        expect(checkTick(changed)).toBeDefined();
        delete owner[last];
        expect(checkTick(changed)).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses every single bit flipped in PLAT, previous PLAT, chain, signature and key', () => {
    for (const name of ['plat', 'prev', 'chain', 'sig', 'public_key'] as const) {
      const bytes = hex(tick.tesc[name]);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const changed = { ...tick, tesc: { ...tick.tesc, [name]: flipped.toString('hex') } };
        expect(checkTick(changed)).toBe('signature');
      }
    }
  });

  it('refuses hex in capitals, with blanks, or of another length, which Buffer would take', () => {
    for (const plat of [
      tick.tesc.plat.toUpperCase(),
      ` ${tick.tesc.plat.slice(1)}`,
      tick.tesc.plat.slice(2),
      `${tick.tesc.plat}00`,
    ])
      expect(checkTick({ ...tick, tesc: { ...tick.tesc, plat } })).toBe('shape');
  });

  it('refuses a PLAT that was made without the secret, even under a good signature', () => {
    const forger: TickSigner = { ...signer, platKey: keyFromSecret('another secret', 'zeq/sync/plat/v1') };

    expect(
      checkTick(attestTick(forger, start, { timestampMs: FIRST * 777, connections: 0 }), signer.platKey),
    ).toBe('plat');
  });
});

describe('attestTick', () => {
  it('makes no tick at or before the head', () => {
    for (const zeqond of [start.zeqond, start.zeqond - 1])
      expect(() => attestTick(signer, start, { timestampMs: zeqond * 777, connections: 0 })).toThrow(
        RangeError,
      );
  });
});

describe('TickVerifier', () => {
  const ticks = chainOver(consecutive(36).filter((_, index) => index % 7 !== 3));
  const faultOf = (sequence: readonly unknown[]) => {
    const verifier = new TickVerifier();
    return sequence.map((tick) => verifier.accept(tick)).find((fault) => fault !== undefined);
  };

  it('accepts a whole chain with its stated gaps', () => {
    expect(faultOf(ticks)).toBeUndefined();
  });

  it('sees a tick that was dropped, repeated, swapped or put in, wherever it is', () => {
    for (let at = 1; at < ticks.length - 1; at += 1) {
      const dropped = ticks.toSpliced(at, 1);
      const repeated = ticks.toSpliced(at, 0, ticks[at]!);
      const swapped = ticks.toSpliced(at, 2, ticks[at + 1]!, ticks[at]!);
      const foreign = chainOver([ticks[at]!.zeqond], signer, headOf(ticks[at - 1]!));
      expect([faultOf(dropped), faultOf(repeated), faultOf(swapped)]).toEqual([
        'missing',
        'repeated',
        'missing',
      ]);
      expect(faultOf(ticks.toSpliced(at, 0, foreign[0]!))).toBe(
        foreign[0]!.tesc.sig === ticks[at]!.tesc.sig ? 'repeated' : 'fork',
      );
    }
  });

  it("names a fork: a second signed tick of the head's depth", () => {
    const verifier = new TickVerifier();
    verifier.accept(ticks[0]);
    const other = attestTick(signer, start, {
      timestampMs: (FIRST + 1) * 777,
      connections: 9,
      gap: { after: start.zeqond, missed: 1, reason: 'stall' },
    });

    expect(verifier.accept(other)).toBe('fork');
    expect(verifier.accept(ticks[1])).toBeUndefined();
  });

  it('refuses a chain that was computed anew with the right keys once it has seen a head', () => {
    const other = { ...start, chain: genesisChain(Buffer.alloc(32, 8), signer.uid) };
    const rewritten = chainOver(
      ticks.map(({ zeqond }) => zeqond),
      signer,
      other,
    );
    const verifier = new TickVerifier({ head: ticks[20]! });

    expect(verifier.accept(rewritten[20])).toBe('fork');
    expect(verifier.accept(rewritten[21])).toBe('link');
  });

  it('names a fork when the chain was cut and has grown anew', () => {
    const verifier = new TickVerifier({ head: ticks[20]! });
    const regrown = chainOver([ticks[25]!.zeqond], signer, headOf(ticks[9]!));

    expect(verifier.accept(regrown[0])).toBe('fork');
    expect(verifier.accept(ticks[9])).toBe('repeated');
  });

  it('refuses another key and another uid, also from the first tick on when it knows the key', () => {
    const stranger = signerOf();
    const [foreign] = chainOver([FIRST], stranger);

    expect(new TickVerifier({ publicKey: ticks[0]!.tesc.public_key }).accept(foreign)).toBe('foreign');
    expect(new TickVerifier({ uid: 'somebody' }).accept(ticks[0])).toBe('foreign');
  });

  it('refuses a gap that is not stated, and one that is stated wrongly', () => {
    const head = headOf(ticks[0]!);
    const at = { timestampMs: (head.zeqond + 5) * 777, connections: 0 };
    const gaps: (Gap | undefined)[] = [
      undefined,
      { after: head.zeqond, missed: 3, reason: 'stall' },
      { after: head.zeqond - 1, missed: 4, reason: 'stall' },
    ];

    for (const gap of gaps) {
      const verifier = new TickVerifier({ head: ticks[0]! });
      expect(verifier.accept(attestTick(signer, head, { ...at, ...(gap && { gap }) }))).toBe('gap');
    }
  });

  it('is moved by nothing that does not hold', () => {
    const verifier = new TickVerifier({ head: ticks[4]! });
    for (const wrong of [null, 3, [], {}, ticks[9], { ...ticks[5], connections: 1 }]) verifier.accept(wrong);

    expect(verifier.head).toBe(ticks[4]);
    expect(verifier.accept(ticks[5])).toBeUndefined();
  });
});

describe('firstBrokenLink', () => {
  const ticks = chainOver(consecutive(40));
  const links = ticks.map(({ zeqond, tesc }) => ({ zeqond, plat: hex(tesc.plat), chain: hex(tesc.chain) }));

  it('names the first link that was altered, dropped, repeated, swapped or put in', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 38 }),
        fc.constantFrom('plat', 'zeqond', 'drop', 'repeat', 'swap', 'insert'),
        (at, what) => {
          const link = links[at]!;
          const changed = {
            plat: () => links.toSpliced(at, 1, { ...link, plat: Buffer.alloc(32, 1) }),
            zeqond: () => links.toSpliced(at, 1, { ...link, zeqond: link.zeqond + 1 }),
            drop: () => links.toSpliced(at, 1),
            repeat: () => links.toSpliced(at, 0, link),
            swap: () => links.toSpliced(at, 2, links[at + 1]!, link),
            insert: () =>
              links.toSpliced(at, 0, {
                zeqond: link.zeqond,
                plat: Buffer.alloc(32, 2),
                chain: Buffer.alloc(32, 3),
              }),
          }[what]!();
          expect(firstBrokenLink(start.chain, signer.uid, changed)).toBe(what === 'repeat' ? at + 1 : at);
        },
      ),
    );
    expect(firstBrokenLink(start.chain, signer.uid, links)).toBe(-1);
  });
});
