import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { parseIp } from '@zeq/egress';
import { bits, der, integer, moment, octets, oid, sequence, set, tagged, text, truth } from './der.ts';

export interface Certificate {
  cert: string;
  key: string;
}

interface Issuer {
  name: string;
  key: KeyObject;
}

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

/** A root made for one test run, and server certificates under it; nothing of it is ever trusted by anything else. */
export class TestAuthority {
  readonly pem: string;
  readonly #issuer: Issuer;

  constructor() {
    const pair = newKey();
    this.#issuer = { name: 'Test root', key: pair.privateKey };
    const basics = extension('2.5.29.19', sequence(truth()));
    this.pem = certificate('Test root', pair.publicKey, this.#issuer, [basics]);
  }

  /** @param hosts Names and addresses that the certificate is for. */
  issue(hosts: readonly string[], { expired = false, selfSigned = false } = {}): Certificate {
    const pair = newKey();
    const issuer = selfSigned ? { name: 'Nobody', key: pair.privateKey } : this.#issuer;
    const names = extension('2.5.29.17', sequence(...hosts.map(alternativeName)));
    const cert = certificate('Test server', pair.publicKey, issuer, [names], expired);
    return { cert, key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: Issuer,
  extensions: Buffer[],
  expired = false,
): string {
  const now = Date.now();
  const tbs = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    commonName(issuer.name),
    sequence(moment(new Date(now - 2 * DAY_MS)), moment(new Date(now + (expired ? -1 : 1) * DAY_MS))),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions)),
  );
  const signed = sequence(tbs, ECDSA_SHA256, bits(sign('sha256', tbs, issuer.key)));
  return `-----BEGIN CERTIFICATE-----\n${signed.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

const commonName = (name: string) => sequence(set(sequence(oid('2.5.4.3'), text(name))));

const extension = (id: string, value: Buffer) => sequence(oid(id), octets(value));

function alternativeName(host: string): Buffer {
  if (isIP(host) === 0) return der(0x82, Buffer.from(host, 'latin1'));
  const { bits: value, family } = parseIp(host)!;
  return der(0x87, Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex'));
}
