import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { messagePlat, openMessage, sealMessage, tescKeys } from '../src/index.ts';
import {
  bytesOfHex,
  deriveTescClientKeys,
  hexOf,
  newTescClientUid,
  openTescMessage,
  sealTescMessage,
  type TescPlace,
  tescJoinPlat,
  tescMessagePlat,
  utf8Bytes,
  verifyTescMessage,
} from '../src/web/index.ts';

const { tesc } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
);
const { message } = tesc;
const keys = await deriveTescClientKeys(tesc.secret, tesc.channel);
const nodeKeys = await tescKeys(tesc.secret, tesc.channel);
const place: TescPlace = {
  channel: tesc.channel,
  uid: message.uid,
  zeqond: message.zeqond,
  previous: bytesOfHex(message.previous),
};
const sealed = { iv: bytesOfHex(message.iv), ciphertext: bytesOfHex(message.ciphertext) };

describe('TESC on WebCrypto', () => {
  it('agrees with the published message, its PLAT and its join', async () => {
    expect(new TextDecoder().decode(await openTescMessage(keys, place, sealed))).toBe(message.text);
    expect(hexOf(await tescMessagePlat(keys, place, sealed))).toBe(message.plat);
    expect(await verifyTescMessage(keys, place, sealed, bytesOfHex(message.plat))).toBe(true);
    expect(hexOf(await tescJoinPlat(keys, { ...place, ...tesc.join }))).toBe(tesc.join.plat);
  });

  it('opens what Node seals and the other way round, PLAT and all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (content) => {
        const text = Uint8Array.from(content);
        const fromNode = sealMessage(nodeKeys, place, text);
        const asBytes = {
          iv: Uint8Array.from(fromNode.iv),
          ciphertext: Uint8Array.from(fromNode.ciphertext),
        };
        const fromWeb = await sealTescMessage(keys, place, text);

        expect(await openTescMessage(keys, place, asBytes)).toEqual(text);
        const back = { iv: Buffer.from(fromWeb.iv), ciphertext: Buffer.from(fromWeb.ciphertext) };
        expect(Uint8Array.from(openMessage(nodeKeys, place, back))).toEqual(text);
        expect(hexOf(await tescMessagePlat(keys, place, fromWeb))).toBe(
          messagePlat(nodeKeys, place, back).toString('hex'),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('opens nothing after any single-bit change, and believes no changed PLAT', async () => {
    const whole = Uint8Array.from([...sealed.iv, ...sealed.ciphertext]);

    for (let bit = 0; bit < 8 * whole.length; bit += 1) {
      const changed = Uint8Array.from(whole);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const part = { iv: changed.slice(0, 12), ciphertext: changed.slice(12) };
      await expect(openTescMessage(keys, place, part)).rejects.toThrow('The message cannot be opened');
      expect(await verifyTescMessage(keys, place, part, bytesOfHex(message.plat))).toBe(false);
    }
  });

  it.each([
    ['another channel', { channel: 'tsc_AAAAAAAAAAAAAAAAAAAAAA' }],
    ['another sender', { uid: 'TESC-2222-2222-2222' }],
    ['another Zeqond', { zeqond: message.zeqond + 1 }],
    ['another previous PLAT', { previous: new Uint8Array(32) }],
  ])('opens nothing at %s', async (_what, change) => {
    await expect(openTescMessage(keys, { ...place, ...change }, sealed)).rejects.toThrow('cannot be opened');
  });

  it('refuses a secret of less than 32 characters and does not repeat it', async () => {
    await expect(deriveTescClientKeys('too short a secret', 'tsc_x')).rejects.toThrow(
      /^channel secret: expected at least 32 characters$/,
    );
  });

  it('refuses a message of more than 16,384 bytes', async () => {
    await expect(sealTescMessage(keys, place, utf8Bytes('x'.repeat(16_385)))).rejects.toThrow('16384 bytes');
  });

  it('makes ids of the form the mesh takes, and no two alike', () => {
    const made = Array.from({ length: 200 }, newTescClientUid);

    for (const uid of made)
      expect(uid).toMatch(/^TESC-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/);
    expect(new Set(made).size).toBe(made.length);
  });
});
