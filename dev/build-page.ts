import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const APP = join(ROOT, 'packages/byok-app');
const BUILT = join(APP, 'dist/index.html');
/** The page is made of its own sources and of what it imports from these packages. */
const SOURCES = ['packages/byok-app/src', 'packages/contracts/src', 'packages/crypto/src'];
const FILES = ['packages/byok-app/index.html', 'packages/byok-app/vite.config.ts', 'pnpm-lock.yaml'];
const COMPRESSED = /\.(js|css|html|svg)$/;

/** Builds the page when there is none, or when it is older than its sources. @throws Error with what vite said. */
export async function buildPage(onProgress: (text: string) => void): Promise<void> {
  if (isBuilt()) return;
  onProgress('building the page');
  const vite = join(APP, 'node_modules/vite/bin/vite.js');
  await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: APP });
  for (const folder of [join(APP, 'dist'), join(APP, 'dist/assets')]) compressFiles(folder);
}

function isBuilt(): boolean {
  if (!existsSync(BUILT)) return false;
  const builtAt = statSync(BUILT).mtimeMs;
  const files = [...FILES, ...SOURCES.flatMap(filesIn)];
  return files.every((file) => statSync(join(ROOT, file)).mtimeMs <= builtAt);
}

const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.slice(ROOT.length), entry.name));

/** Once here, as small as they get, instead of at every request. */
function compressFiles(folder: string): void {
  for (const name of readdirSync(folder).filter((each) => COMPRESSED.test(each))) {
    const bytes = readFileSync(join(folder, name));
    const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params: size }));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildPage((text) => void process.stdout.write(`${text}\n`));
