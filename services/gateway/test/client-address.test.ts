import type { Socket } from 'node:net';
import { trustList } from '../src/config.ts';
import { ClientAddresses, limitKey } from '../src/limits/client-address.ts';

const from = (remoteAddress: string) => ({ remoteAddress }) as Socket;

describe('ClientAddresses', () => {
  const behindNginx = new ClientAddresses(trustList(['172.16.0.0/12', '10.0.0.7', 'fd00::/8']));

  it.each([
    ['nobody is trusted by default', '127.0.0.1', '1.2.3.4', '127.0.0.1'],
    ['a stranger is not believed', '203.0.113.5', '1.2.3.4', '203.0.113.5'],
    ['nginx is believed', '172.18.0.3', '1.2.3.4', '1.2.3.4'],
    ['nginx over a mapped address', '::ffff:172.18.0.3', '1.2.3.4', '1.2.3.4'],
    ['what stands left of nginx was written by the client', '172.18.0.3', '9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['our own hops are passed over', '172.18.0.3', '9.9.9.9, 1.2.3.4, 10.0.0.7', '1.2.3.4'],
    ['nonsense counts for whoever sent it', '172.18.0.3', 'unknown', '172.18.0.3'],
    ['nothing but our own hops', '172.18.0.3', '10.0.0.7', '172.18.0.3'],
    ['an empty header', '172.18.0.3', '', '172.18.0.3'],
    ['IPv6 behind nginx', 'fd00::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ])('%s', (_why, peer, forwardedFor, wanted) => {
    const addresses = peer === '127.0.0.1' ? new ClientAddresses() : behindNginx;

    expect(addresses.keyOf(from(peer), forwardedFor)).toBe(wanted);
  });
});

describe('limitKey', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0001:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['2001:db8:0:1::9', '2001:db8:0:1::/64'],
  ])('counts %s as %s', (address, key) => {
    expect(limitKey(address)).toBe(key);
  });
});

describe('trustList', () => {
  it.each(['nonsense', '1.2.3', '1.2.3.4/33', '1.2.3.4/x', '::/129'])('refuses %s', (entry) => {
    expect(() => trustList([entry])).toThrow();
  });
});
