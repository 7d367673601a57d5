import { egressRules, joinPath, parseBaseUrl } from '../src/index.ts';
import { egressCases } from './vectors.ts';

const rules = egressRules({ ownHosts: ['gateway.example.com'], ownAddresses: ['93.184.215.99'] });
const at = (stage: string) => egressCases.filter((row) => row.stage === stage);

describe('parseBaseUrl', () => {
  it.each(at('register').map((row) => [row.case, row] as const))('%s', (_name, row) => {
    const parsed = parseBaseUrl(row.base_url, rules);

    expect(parsed.ok ? 'allow' : 'deny').toBe(row.expect);
    if (parsed.ok) {
      expect(parsed.url.authority).toBe(row.wire_host);
      expect(joinPath(parsed.url.basePath, row.path)).toEqual({ ok: true, path: row.wire_path });
    }
  });

  it.each(
    at('register')
      .filter((row) => row.expect_with_port_list !== undefined)
      .map((row) => [row.case, row] as const),
  )('%s, where the operator gives a list of ports', (_name, row) => {
    const parsed = parseBaseUrl(row.base_url, { ...rules, ports: [443, 8443] });

    expect(parsed.ok ? 'allow' : 'deny').toBe(row.expect_with_port_list);
  });

  it.each(egressCases.filter((row) => row.stage !== 'register').map((row) => [row.case, row] as const))(
    'lets %s be registered: it is judged at the call',
    (_name, row) => {
      expect(parseBaseUrl(row.base_url, rules).ok).toBe(true);
    },
  );
});

describe('joinPath', () => {
  it.each(at('forward').map((row) => [row.case, row] as const))('%s', (_name, row) => {
    const parsed = parseBaseUrl(row.base_url, rules);
    if (!parsed.ok) throw new Error('every base URL of this stage is ordinary');

    const joined = joinPath(parsed.url.basePath, row.path);

    expect(joined.ok ? 'allow' : 'deny').toBe(row.expect);
    if (joined.ok) expect(joined.path).toBe(row.wire_path);
  });
});
