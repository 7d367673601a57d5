import { readConfig } from '../src/config.ts';

const base = { ZEQ_INTERNAL_SECRET: 's'.repeat(32) };

describe('readConfig', () => {
  it('has a default for everything but the secret', () => {
    const config = readConfig(base);

    expect(config).toMatchObject({
      FORWARDER_PORT: 4003,
      VAULT_URL: 'http://127.0.0.1:4002',
      ZEQ_OWN_ADDRESSES: [],
      ZEQ_DNS_SERVERS: [],
      ZEQ_MAX_CALLS: 10_000,
    });
    expect(config.ZEQ_EGRESS_ALLOW.namesHost('localhost', 80)).toBe(false);
  });

  it('reads lists, and DOMAIN with or without its scheme', () => {
    const config = readConfig({
      ...base,
      DOMAIN: 'https://Mesh.Example.com/x',
      ZEQ_EGRESS_ALLOW: '10.0.0.0/8, ollama:11434',
      ZEQ_EGRESS_PORTS: '443, 8443',
      ZEQ_DNS_SERVERS: '9.9.9.9, 127.0.0.1:5353, [2620:fe::fe]:53, ::1',
      ZEQ_OWN_ADDRESSES: '93.184.215.99, 2606:4700::1',
    });

    expect(config.DOMAIN).toBe('mesh.example.com');
    expect(config.ZEQ_EGRESS_ALLOW.namesHost('ollama', 11434)).toBe(true);
    expect(config.ZEQ_EGRESS_PORTS).toEqual([443, 8443]);
    expect(config.ZEQ_DNS_SERVERS).toEqual(['9.9.9.9', '127.0.0.1:5353', '[2620:fe::fe]:53', '::1']);
    expect(config.ZEQ_OWN_ADDRESSES).toEqual(['93.184.215.99', '2606:4700::1']);
  });

  it('names every wrong setting at once', () => {
    const read = () =>
      readConfig({
        ZEQ_EGRESS_ALLOW: '10.0.0.1/8',
        ZEQ_EGRESS_PORTS: '443,70000',
        ZEQ_DNS_SERVERS: 'dns.example.com',
        ZEQ_OWN_ADDRESSES: 'me',
        ZEQ_MAX_CALLS: '0',
        FORWARDER_SOCKET: 'relative.sock',
      });

    for (const name of [
      'ZEQ_INTERNAL_SECRET is missing',
      'ZEQ_EGRESS_ALLOW has entries that are not a block, a host or host:port: 10.0.0.1/8',
      'ZEQ_EGRESS_PORTS must be a comma list of ports',
      'ZEQ_DNS_SERVERS must be a comma list of addresses',
      'ZEQ_OWN_ADDRESSES must be a comma list of addresses',
      'ZEQ_MAX_CALLS must be at least 1',
      'FORWARDER_SOCKET must be an absolute path',
    ])
      expect(read).toThrow(name);
  });
});
