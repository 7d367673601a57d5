/**
 * The egress policy: which URLs may be registered and which addresses may be dialled. A change here moves verdicts, so the
 * tests hold it against the policy file under which the cases were written.
 */
export const POLICY = {
  schemes: ['https'],
  /** Ports that the WHATWG Fetch standard blocks, and 0. */
  deniedPorts: [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
    2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
  ],
  maxUrlLength: 2048,
  maxLabel: 63,
  maxName: 253,
  maxPathLength: 8192,
  /** A path is decoded this many times in search of dot segments and control characters. */
  pathDecodings: 3,
  /** Names that never stand for a public provider. */
  deniedSuffixes: [
    'local',
    'localhost',
    'internal',
    'lan',
    'home',
    'corp',
    'intranet',
    'private',
    'home.arpa',
    'svc',
    'cluster.local',
    'test',
    'invalid',
    'onion',
    'arpa',
    'localdomain',
  ],
  /** IPv4: everything but these (IANA special-purpose registry, and the public-looking address of Azure's host agent). */
  denyIpv4: [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4',
    '240.0.0.0/4',
    '168.63.129.16/32',
  ],
  /** IPv6: nothing but global unicast … */
  allowIpv6: ['2000::/3'],
  /** … without what in there is translated (Teredo, 6to4), reserved or documentation. */
  denyIpv6InsideAllowed: ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
} as const;
