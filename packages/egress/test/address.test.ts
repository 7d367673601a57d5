import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { classifyAddress, formatIp, parseIp } from '../src/index.ts';

describe('classifyAddress', () => {
  it.each([
    ['9.255.255.255', 'public', 'below 10/8'],
    ['10.0.0.0', 'private', '10/8 begins'],
    ['10.255.255.255', 'private', '10/8 ends'],
    ['11.0.0.0', 'public', 'above 10/8'],
    ['0.255.255.255', 'reserved', 'this network'],
    ['1.0.0.0', 'public', 'above 0/8'],
    ['126.255.255.255', 'public', 'below loopback'],
    ['127.255.255.255', 'private', 'all of 127/8 is loopback'],
    ['169.254.169.254', 'reserved', 'instance metadata'],
    ['168.63.129.15', 'public', 'beside the Azure host agent'],
    ['168.63.129.16', 'reserved', 'the Azure host agent'],
    ['100.100.100.199', 'private', 'shared address space'],
    ['100.100.100.200', 'reserved', 'Alibaba metadata inside the shared address space'],
    ['192.88.99.1', 'reserved', '6to4 relay'],
    ['223.255.255.255', 'public', 'below multicast'],
    ['224.0.0.0', 'reserved', 'multicast'],
    ['255.255.255.255', 'reserved', 'broadcast'],
    ['::1', 'private', 'loopback'],
    ['::', 'reserved', 'unspecified'],
    ['fd12::1', 'private', 'unique local'],
    ['fd00:ec2::254', 'reserved', 'AWS metadata inside the unique local block'],
    ['fe80::1', 'reserved', 'link local'],
    ['::ffff:8.8.8.8', 'reserved', 'mapped, though what it wraps is public'],
    ['::7f00:1', 'reserved', 'IPv4-compatible'],
    ['64:ff9b::808:808', 'reserved', 'NAT64'],
    ['2002:808:808::1', 'reserved', '6to4'],
    ['2001:0:4136:e378::1', 'reserved', 'Teredo'],
    ['2001:1ff:ffff::1', 'reserved', 'the protocol assignments end'],
    ['2001:200::1', 'public', 'above the protocol assignments'],
    ['2606:4700::1111', 'public', 'global unicast'],
    ['3fff::1', 'reserved', 'documentation'],
    ['4000::1', 'reserved', 'outside global unicast'],
    ['127.1', 'not-an-address', 'short form'],
    ['0177.0.0.1', 'not-an-address', 'octal'],
    ['::1%eth0', 'not-an-address', 'zone'],
    ['', 'not-an-address', 'empty'],
  ])('calls %s %s (%s)', (address, kind) => {
    expect(classifyAddress(address).kind).toBe(kind);
  });
});

describe('parseIp and formatIp', () => {
  it('agree with each other and with the runtime on every IPv6 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        if (text.includes('.') && !isIPv6(text)) return;
        const ip = parseIp(text);
        expect(ip?.family).toBe(6);
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${formatIp(ip!)}]`);
      }),
    );
  });

  it('take as IPv4 exactly what the runtime takes', () => {
    const nearly = fc.array(fc.constantFrom('0', '1', '25', '255', '256', '01', '.', 'x'), { maxLength: 9 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          nearly.map((parts) => parts.join('')),
        ),
        (text) => {
          expect(parseIp(text)?.family === 4).toBe(isIPv4(text));
        },
      ),
    );
  });
});
