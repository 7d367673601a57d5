import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const VERIFIER = fileURLToPath(new URL('../../../docs/vectors/verify.py', import.meta.url));

describe('docs/vectors/verify.py', () => {
  it('finds that every published vector agrees with its written layout', async () => {
    const { stdout } = await promisify(execFile)('python3', ['-B', VERIFIER]);

    expect(stdout.trim().split('\n').at(-1)).toBe('all vectors agree with their layouts');
  });
});
