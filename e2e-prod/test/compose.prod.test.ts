// docker-compose.yml in the eyes of both programs that read it: docker-compose 1.29 and compose v2.
import { execFile } from 'node:child_process';
import { MESH_DIR } from './mesh.ts';

const NEIGHBOURS = ['mi', 'git', 'forum', 'rag'];
const CORE = [
  'byok-vault',
  'certbot',
  'forwarder',
  'gateway',
  'mongo',
  'nginx',
  'operator-engine',
  'postgres',
  'redis',
  'sync-engine',
  'zeqond-daemon',
];
/** What a neighbour brings with it. */
const OF: Record<string, string[]> = {
  mi: ['mi', 'mi-mongo'],
  git: ['git'],
  forum: ['forum', 'forum-postgres', 'forum-redis'],
  rag: ['rag'],
};

interface Read {
  code: number;
  stdout: string;
  /** Warnings, which a clean file has none of. */
  stderr: string;
}

/** `e2e-prod/compose-v2.sh` builds the second one where the engine has no plugin. */
const PROGRAMS: Record<string, string[]> = {
  'docker-compose 1.29': ['docker-compose'],
  'compose v2': (process.env.COMPOSE_V2 ?? 'missing: run e2e-prod/run.sh').split(' '),
};

describe.each(Object.keys(PROGRAMS))('docker-compose.yml under %s', (name) => {
  const [program, ...first] = PROGRAMS[name]!;

  function config(...args: string[]): Promise<Read> {
    return new Promise((resolve) => {
      execFile(program!, [...first, ...args], { cwd: MESH_DIR }, (err, stdout, stderr) =>
        resolve({ code: err === null ? 0 : 1, stdout, stderr }),
      );
    });
  }

  it('is that version', async () => {
    const { stdout } = await config('version', '--short');

    expect(stdout).toMatch(name.endsWith('v2') ? /^v?2\./ : /^1\.29\./);
  });

  it.each(['none', ...NEIGHBOURS, NEIGHBOURS.join(' ')])('is clean with the profiles: %s', async (names) => {
    const chosen = names === 'none' ? [] : names.split(' ');
    const flags = chosen.flatMap((profile) => ['--profile', profile]);

    const { code, stderr } = await config(...flags, 'config', '--quiet');
    const { stdout } = await config(...flags, 'config', '--services');

    expect([code, stderr]).toEqual([0, '']);
    const listed = name.endsWith('v2') ? chosen : NEIGHBOURS; // 1.29 lists them all, and starts those of the profile
    expect(stdout.trim().split('\n').sort()).toEqual(
      [...CORE, ...listed.flatMap((profile) => OF[profile]!)].sort(),
    );
  });
});
