import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Database } from '../../src/db/database.ts';
import { openEmbedded } from '../../src/db/embedded.ts';

/** An empty database in memory. */
export const openTestEmbedded = async (): Promise<Database> => openEmbedded(undefined, await makeImage());

/** An empty database of PGlite's, made once per machine and version: making one takes seconds, loading one does not. */
export async function makeImage(): Promise<Blob> {
  const file = join(tmpdir(), `zeq-test-pglite-${versionOf()}.tar`);
  if (!existsSync(file)) await writeImage(file);
  return new Blob([readFileSync(file)]);
}

async function writeImage(file: string): Promise<void> {
  const pglite = new PGlite();
  await pglite.waitReady;
  const image = await pglite.dumpDataDir('none');
  const own = `${file}.${process.pid}`;
  writeFileSync(own, Buffer.from(await image.arrayBuffer()));
  renameSync(own, file); // whole or not at all: other tests look for it at the same time
  await pglite.close();
}

/** The version that this room pins. */
function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  return dependencies['@electric-sql/pglite'] ?? 'unknown';
}
