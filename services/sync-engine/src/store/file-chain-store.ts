import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AttestedTick, genesisChain, type Head, headOf, NO_PLAT } from '@zeq/crypto';
import { holdFolder } from '@zeq/service-kit/folder-lock';
import { z } from 'zod';
import type { ChainIdentity, ChainStore, Lease } from './chain-store.ts';
import { TickFiles, writeWhole } from './tick-files.ts';

/** 25.6 MB, about 21.6 hours. The oldest files may be moved away while the engine is stopped; the chain goes on without them. */
const RECORDS_PER_FILE = 100_000;
/** Not `lock`: earlier versions left a file of that name with a process id in it. */
const LOCK = 'folder.lock';

export interface FileStoreOptions {
  folder: string;
  uid: string;
  /** Ed25519, 32 bytes. */
  publicKey: Buffer;
  recordsPerFile?: number;
}

/**
 * The chain in files of fixed-size records, for one engine on one machine. Not PGlite, which runs PostgreSQL without fsync: a power cut
 * could take back ticks that others have seen, and the chain would go on from an older head, which is a fork. Here a tick is on the
 * disk (fdatasync) before anybody hears of it, it costs 256 bytes, and no database has to be started.
 *
 * @throws Error when another process has the folder, or the chain in it has another uid or key.
 */
export async function openFileChainStore(options: FileStoreOptions): Promise<ChainStore> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const unlock = holdFolder(options.folder, LOCK);
  try {
    const identity = await openIdentity(options);
    const files = new TickFiles(options.folder, identity, options.recordsPerFile ?? RECORDS_PER_FILE);
    const last = await files.recoverLast();
    const [first = 1] = await files.firsts();
    if (last === undefined && first > 1) throw new Error('no stored tick is readable any more');
    return new FileChainStore(identity, files, { last, first, unlock });
  } catch (err) {
    unlock();
    throw err;
  }
}

class FileChainStore implements ChainStore {
  readonly identity: ChainIdentity;
  readonly #files: TickFiles;
  readonly #unlock: () => void;
  readonly #firstDepth: number;
  #head: Head;
  #token = 0;
  #appending: Promise<void> = Promise.resolve();

  constructor(
    identity: ChainIdentity,
    files: TickFiles,
    found: { last: AttestedTick | undefined; first: number; unlock: () => void },
  ) {
    this.identity = identity;
    this.#files = files;
    this.#unlock = found.unlock;
    this.#firstDepth = found.first;
    this.#head = found.last ? headOf(found.last) : genesisHead(identity);
  }

  async lead(): Promise<Lease> {
    this.#token += 1;
    return { token: this.#token, head: this.#head };
  }

  /** One after the other: between looking at the head and moving it lies a write. */
  append(lease: Lease, tick: AttestedTick): Promise<boolean> {
    const stored = this.#appending.then(() => this.#append(lease, tick));
    this.#appending = stored.then(
      () => undefined,
      () => undefined, // told to whoever asked; the next one looks for itself
    );
    return stored;
  }

  async #append({ token }: Lease, tick: AttestedTick): Promise<boolean> {
    const follows = tick.tesc.depth === this.#head.depth + 1 && tick.zeqond > this.#head.zeqond;
    if (token !== this.#token || !follows) return false;
    await this.#files.write(tick);
    this.#head = headOf(tick);
    return true;
  }

  async release(): Promise<void> {
    this.#token += 1;
  }

  async head(): Promise<Head> {
    return this.#head;
  }

  async firstDepth(): Promise<number> {
    return this.#firstDepth;
  }

  async read(fromDepth: number, limit: number): Promise<AttestedTick[]> {
    const from = Math.max(fromDepth, this.#firstDepth);
    return this.#files.read(from, Math.min(from + limit - 1, this.#head.depth));
  }

  async depthAt(zeqond: number): Promise<number | undefined> {
    if (zeqond > this.#head.zeqond) return undefined;
    let low = this.#firstDepth;
    let high = this.#head.depth;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [tick] = await this.#files.read(middle, middle);
      if (tick!.zeqond < zeqond) low = middle + 1;
      else high = middle;
    }
    return high === 0 ? undefined : low;
  }

  onAppended(): void {
    // nobody else can append here
  }

  async close(): Promise<void> {
    await this.#files.close();
    this.#unlock();
  }
}

/** The head of a chain without ticks. */
export const genesisHead = ({ seed, uid }: ChainIdentity): Head => ({
  depth: 0,
  zeqond: 0,
  plat: NO_PLAT,
  chain: genesisChain(seed, uid),
});

const hex32 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => Buffer.from(text, 'hex'));
const IdentityFile = z.object({ uid: z.string(), seed: hex32, public_key: hex32 });

/** Reads who the chain is, or writes it with the first start. */
async function openIdentity({ folder, uid, publicKey }: FileStoreOptions): Promise<ChainIdentity> {
  const path = join(folder, 'chain.json');
  const text = await readFile(path, 'utf8').catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return undefined;
    throw err;
  });
  if (text !== undefined)
    return requireSame(toIdentity(IdentityFile.parse(JSON.parse(text))), uid, publicKey);
  const identity = { uid, seed: randomBytes(32), publicKey };
  const file = { uid, seed: identity.seed.toString('hex'), public_key: publicKey.toString('hex') };
  await writeWhole(path, `${JSON.stringify(file, null, 2)}\n`);
  return identity;
}

const toIdentity = ({ uid, seed, public_key }: z.infer<typeof IdentityFile>): ChainIdentity => ({
  uid,
  seed,
  publicKey: public_key,
});

/** @throws Error when the chain belongs to another name or key: going on would be a chain that nobody can verify. */
export function requireSame(chain: ChainIdentity, uid: string, publicKey: Buffer): ChainIdentity {
  if (chain.uid !== uid) {
    throw new Error(
      `the stored chain belongs to ZEQ_SYNC_UID ${chain.uid}; set that, or start with another data folder`,
    );
  }
  if (!chain.publicKey.equals(publicKey)) {
    throw new Error(
      'the stored chain was signed with another key; set ZEQ_SYNC_SIGNING_KEY to it, or put back the file signing-key',
    );
  }
  return chain;
}
