import { setImmediate as turnEnds } from 'node:timers/promises';
import { LeaseRecipient, sealLease } from '@zeq/crypto';
import { LeasedSecrets } from '../../src/redaction/leased-secrets.ts';

const SECRET = 'sk-live-5f2b9c7e41d8a6';
const AAD = Buffer.from('test');

function leased(value: string): LeasedSecrets {
  const recipient = new LeaseRecipient();
  return new LeasedSecrets(recipient.accept(sealLease(Buffer.from(value), recipient.publicKey, AAD), AAD));
}

const text = Buffer.from(`an answer with ${SECRET} inside`);

describe('LeasedSecrets', () => {
  it('shares the forms among calls and wipes them when the last has ended', async () => {
    const secrets = leased(`Bearer ${SECRET}`);
    const [first, second] = [secrets.acquire()!, secrets.acquire()!];
    expect(second).toBe(first);

    secrets.release();
    await turnEnds();
    expect(first.find(text, 0)).toBe(15);

    secrets.release();
    await turnEnds();
    expect(() => first.find(text, 0)).toThrow('wiped');
  });

  it('opens them again for the next call', async () => {
    const secrets = leased(`Bearer ${SECRET}`);
    for (let call = 0; call < 3; call += 1) {
      expect(secrets.acquire()!.find(text, 0)).toBe(15);
      secrets.release();
      await turnEnds();
    }
  });

  it('keeps them for a call that begins in the turn in which the last one ended', async () => {
    const secrets = leased(`Bearer ${SECRET}`);
    const first = secrets.acquire()!;
    secrets.release();
    expect(secrets.acquire()).toBe(first);

    await turnEnds();
    expect(first.find(text, 0)).toBe(15);
  });

  it('has none for a credential that could be any text', () => {
    expect(leased('Bearer short').acquire()?.find(Buffer.from('short and sweet'), 0)).toBe(-1);
    expect(leased('a').acquire()).toBeUndefined();
  });
});
