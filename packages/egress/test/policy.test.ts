import { POLICY } from '../src/index.ts';
import { readVector } from './vectors.ts';

interface PolicyFile {
  schemes: string[];
  denied_ports: number[];
  base_url: { max_length: number };
  host: { max_label: number; max_name: number; denied_suffixes: string[] };
  deny_ipv4: string[];
  allow_ipv6: string[];
  deny_ipv6_inside_allowed: string[];
  path: { max_length: number; deny_dot_segments_after_repeated_decoding: number };
}

describe('POLICY', () => {
  it('is the policy under which the cases were written', () => {
    const file = readVector('ssrf-policy.json') as PolicyFile;

    expect(POLICY).toEqual({
      schemes: file.schemes,
      deniedPorts: file.denied_ports,
      maxUrlLength: file.base_url.max_length,
      maxLabel: file.host.max_label,
      maxName: file.host.max_name,
      maxPathLength: file.path.max_length,
      pathDecodings: file.path.deny_dot_segments_after_repeated_decoding,
      deniedSuffixes: file.host.denied_suffixes,
      denyIpv4: file.deny_ipv4,
      allowIpv6: file.allow_ipv6,
      denyIpv6InsideAllowed: file.deny_ipv6_inside_allowed,
    });
  });
});
