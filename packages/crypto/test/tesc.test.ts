import { readFileSync } from 'node:fs';
import {
  joinPlatFields,
  MAX_TESC_BYTES,
  messagePlat,
  NO_PLAT,
  newTescUid,
  openMessage,
  platOf,
  sealMessage,
  TescError,
  tescKeys,
} from '../src/index.ts';

const { tesc } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
);
const hex = (text: string) => Buffer.from(text, 'hex');
const keys = await tescKeys(tesc.secret, tesc.channel);
const place = {
  channel: tesc.channel,
  uid: tesc.message.uid,
  zeqond: tesc.message.zeqond,
  previous: hex(tesc.message.previous),
};

describe('TESC messages', () => {
  it('agree with the published vectors', () => {
    const sealed = { iv: hex(tesc.message.iv), ciphertext: hex(tesc.message.ciphertext) };
    const join = { ...place, zeqond: tesc.join.zeqond, previous: NO_PLAT };

    expect(keys.plat.export().toString('hex')).toBe(tesc.plat_key);
    expect(keys.content.export().toString('hex')).toBe(tesc.content_key);
    expect(platOf(keys.plat, joinPlatFields(join)).toString('hex')).toBe(tesc.join.plat);
    expect(openMessage(keys, place, sealed).toString()).toBe(tesc.message.text);
    expect(messagePlat(keys, place, sealed).toString('hex')).toBe(tesc.message.plat);
  });

  it('open to what was sealed, from nothing to 16 KB, and refuse one byte more', () => {
    for (const length of [0, 1, 15, 16, 1000, MAX_TESC_BYTES]) {
      const text = Buffer.alloc(length, 'x');
      expect(openMessage(keys, place, sealMessage(keys, place, text)).equals(text)).toBe(true);
    }
    expect(() => sealMessage(keys, place, Buffer.alloc(MAX_TESC_BYTES + 1))).toThrow(RangeError);
  });

  it('open in their place only', async () => {
    const sealed = sealMessage(keys, place, Buffer.from('hello'));
    const elsewhere = [
      { ...place, channel: 'tsc_other' },
      { ...place, uid: newTescUid() },
      { ...place, zeqond: place.zeqond + 1 },
      { ...place, previous: NO_PLAT },
    ];

    for (const other of elsewhere) {
      expect(() => openMessage(keys, other, sealed)).toThrow(TescError);
      expect(messagePlat(keys, other, sealed).equals(messagePlat(keys, place, sealed))).toBe(false);
    }
    expect(() => openMessage(keysOfOther, place, sealed)).toThrow(TescError);
  });

  it('refuse every flipped bit, every cut and every wrong iv', () => {
    const sealed = sealMessage(keys, place, Buffer.from('hello'));
    for (let bit = 0; bit < sealed.ciphertext.length * 8; bit += 1) {
      const ciphertext = Buffer.from(sealed.ciphertext);
      ciphertext[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => openMessage(keys, place, { ...sealed, ciphertext })).toThrow(TescError);
    }
    for (let end = 0; end < sealed.ciphertext.length; end += 1)
      expect(() =>
        openMessage(keys, place, { ...sealed, ciphertext: sealed.ciphertext.subarray(0, end) }),
      ).toThrow(TescError);
    for (const iv of [Buffer.alloc(12), Buffer.alloc(11), Buffer.alloc(16), Buffer.alloc(0)])
      expect(() => openMessage(keys, place, { ...sealed, iv })).toThrow(TescError);
  });

  it('never use one iv twice', () => {
    const ivs = Array.from({ length: 2000 }, () =>
      sealMessage(keys, place, Buffer.alloc(1)).iv.toString('hex'),
    );

    expect(new Set(ivs).size).toBe(ivs.length);
  });
});

const keysOfOther = await tescKeys('another secret of enough characters', tesc.channel);

describe('tescKeys', () => {
  it('wants 32 characters', async () => {
    await expect(tescKeys('x'.repeat(31), 'tsc_1')).rejects.toThrow('at least 32 characters');
  });
});

describe('newTescUid', () => {
  it('has the published form', () => {
    expect(newTescUid()).toMatch(/^TESC-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/);
  });
});
