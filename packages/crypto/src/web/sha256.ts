import type { Bytes } from '../encoding.ts';

export const sha256OnWeb = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
