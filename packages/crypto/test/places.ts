import { randomBytes } from 'node:crypto';
import { type FieldPlace, sha256 } from '../src/index.ts';

/** A place for a field; tests change one part at a time. */
export const somePlace = (change: Partial<FieldPlace> = {}): FieldPlace => ({
  table: 'apis',
  column: 'auth_header',
  tenantId: 'mch_0000000000000000000001',
  tenantSalt: SALT,
  rowId: 'api_0000000000000000000001',
  origin: 'https://api.example.com:443',
  rowDigest: sha256('the other columns'),
  ...change,
});

const SALT = randomBytes(32);
