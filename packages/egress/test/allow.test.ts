import { egressRules, parseBaseUrl, parseEgressAllow, refuseAddress } from '../src/index.ts';

const withAllow = (text: string) => egressRules({ allow: parseEgressAllow(text) });
const verdict = (url: string, allow: string) => {
  const parsed = parseBaseUrl(url, withAllow(allow));
  return parsed.ok ? 'allow' : parsed.rule;
};

describe('parseEgressAllow', () => {
  it.each([
    ['10.0.0.0/8', 'https://10.1.2.3', 'allow'],
    ['10.0.0.0/8', 'http://10.1.2.3', 'allow'],
    ['10.0.0.0/8', 'https://11.1.2.3', 'allow'],
    ['10.0.0.0/8', 'http://11.1.2.3', 'scheme'],
    ['10.0.0.0/8', 'http://api.example.com', 'scheme'],
    ['127.0.0.1:4010', 'http://127.0.0.1:4010', 'allow'],
    ['127.0.0.1:4010', 'http://127.0.0.1:4011', 'scheme'],
    ['127.0.0.1:4010', 'https://127.0.0.1:4011', 'address'],
    ['[::1]:4010', 'http://[::1]:4010', 'allow'],
    ['::1', 'http://[0:0:0:0:0:0:0:1]:9', 'port'],
    ['[::1]:9', 'http://[::1]:9', 'allow'],
    ['fd00::/8', 'https://[fd12::1]', 'allow'],
    ['169.254.169.254', 'http://169.254.169.254', 'allow'],
    ['localhost', 'http://localhost:11434', 'allow'],
    ['LocalHost:11434', 'http://localhost:11434', 'allow'],
    ['localhost:11434', 'http://localhost:11435', 'scheme'],
    ['localhost:11434', 'https://localhost:11435', 'single-label'],
    ['ollama', 'http://ollama.lan', 'scheme'],
    ['models.corp', 'https://models.corp', 'allow'],
    ['models.corp:25', 'https://models.corp:25', 'allow'],
    ['models.corp', 'https://models.corp:25', 'port'],
    ['models.corp', 'https://user@models.corp', 'userinfo'],
    [' , models.corp , ', 'https://models.corp', 'allow'],
    ['', 'http://models.corp', 'scheme'],
  ])('"%s": %s -> %s', (allow, url, expected) => {
    expect(verdict(url, allow)).toBe(expected);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.1/8',
    'a b',
    'http://x',
    'x:0',
    'x:70000',
    '127.1',
    '0x7f',
    '-x',
    '[::1',
    '*',
    'x/8',
  ])('refuses %s, by name', (entry) => {
    expect(() => parseEgressAllow(`ok.example, ${entry}`)).toThrow(`host:port: ${entry}`);
  });
});

describe('refuseAddress', () => {
  const target = { host: 'models.corp', port: 443 };

  it.each([
    ['10.0.0.5', undefined],
    ['127.0.0.1', undefined],
    ['fd00::5', undefined],
    ['93.184.215.14', undefined],
    ['169.254.169.254', '169.254.0.0/16'],
    ['168.63.129.16', '168.63.129.16/32'],
    ['100.100.100.200', '100.100.100.200/32'],
    ['fe80::1', 'not global unicast'],
    ['0.0.0.0', '0.0.0.0/8'],
    ['224.0.0.1', '224.0.0.0/4'],
    ['::ffff:10.0.0.1', 'not global unicast'],
  ])('with the host named, %s is refused as %s', (address, range) => {
    expect(refuseAddress(address, target, withAllow('models.corp'))?.range).toBe(range);
  });

  it('opens metadata only where a block names it', () => {
    expect(
      refuseAddress('169.254.169.254', target, withAllow('models.corp, 169.254.0.0/16')),
    ).toBeUndefined();
  });

  it('refuses our own address however it is spelled, unless a block names it', () => {
    const own = egressRules({ ownAddresses: ['2606:4700:0::1'] });

    expect(refuseAddress('2606:4700::1', target, own)?.rule).toBe('own-address');
    expect(
      refuseAddress('2606:4700::1', target, { ...own, allow: parseEgressAllow('2606:4700::1') }),
    ).toBeUndefined();
  });
});
