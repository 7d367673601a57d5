import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** PKCS#8 in front of a 32-byte Ed25519 seed (RFC 8410, section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const FILE = 'signing-key';

export interface SigningKey {
  privateKey: KeyObject;
  /** 32 bytes. */
  publicKey: Buffer;
}

/**
 * The Ed25519 key of the ticks: from `ZEQ_SYNC_SIGNING_KEY` where it is set, or made once and kept in the data folder (0600, 64 hex
 * digits). It is no child of ZEQ_SYNC_SECRET: who learns that can make a PLAT, but no signature.
 *
 * @param configured The 32-byte seed as 64 hex digits.
 */
export async function openSigningKey(folder: string, configured: string | undefined): Promise<SigningKey> {
  const hex = configured ?? (await readOrMake(folder));
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error(`${join(folder, FILE)} must hold 64 hex digits`);
  return toSigningKey(Buffer.from(hex, 'hex'));
}

export function toSigningKey(seed: Uint8Array): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, publicKey: Buffer.from(String(x), 'base64url') };
}

async function readOrMake(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  try {
    await writeFile(path, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600, flush: true });
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
    await chmod(path, 0o600);
  }
  return (await readFile(path, 'utf8')).trim();
}
