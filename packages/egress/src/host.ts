import { domainToASCII } from 'node:url';
import { formatIp, parseIp } from './ip.ts';
import { POLICY } from './policy.ts';

export type HostRule =
  | 'host-empty'
  | 'percent-host'
  | 'noncanonical-ip'
  | 'trailing-dot'
  | 'label'
  | 'host-charset'
  | 'compat-mapped';

export type ParsedHost = { ok: true; host: string; isAddress: boolean } | { ok: false; rule: HostRule };

/** What the WHATWG URL standard would read as a number at the end of a host, and so as an IPv4 address. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * Parses the host of a URL by our own rules, so that no verdict hangs on the version of the runtime's URL parser: that one is
 * only asked for the ASCII form of a label outside ASCII, and its answer has to be an `xn--` label.
 *
 * @param raw As it stands in the URL, brackets included.
 * @returns The host in lower case and without brackets.
 */
export function parseHost(raw: string): ParsedHost {
  if (raw.startsWith('[')) return parseBracketed(raw);
  if (raw === '') return refused('host-empty');
  if (raw.includes('%')) return refused('percent-host');
  const ascii = toAscii(raw);
  if (ascii === undefined) return refused('compat-mapped');
  if (ENDS_IN_NUMBER.test(ascii.replace(/\.+$/, ''))) {
    const canonical = ascii === raw && parseIp(ascii) !== undefined;
    return canonical ? { ok: true, host: ascii, isAddress: true } : refused('noncanonical-ip');
  }
  return parseName(ascii);
}

function parseBracketed(raw: string): ParsedHost {
  const ip = raw.endsWith(']') ? parseIp(raw.slice(1, -1)) : undefined;
  if (ip?.family !== 6) return refused('noncanonical-ip');
  return { ok: true, host: formatIp(ip), isAddress: true };
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

function parseName(name: string): ParsedHost {
  if (name.endsWith('.')) return refused('trailing-dot');
  if (name.length > POLICY.maxName) return refused('label');
  for (const label of name.split('.')) {
    if (label === '' || label.length > POLICY.maxLabel) return refused('label');
    if (!LABEL.test(label)) return refused('host-charset');
  }
  return { ok: true, host: name, isAddress: false };
}

/** Only ASCII letters are folded here: `toLowerCase` would also make a `k` of the Kelvin sign. */
const lowerAscii = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));

/** @returns undefined when a label outside ASCII does not become an `xn--` label, because then it only looks like another name. */
function toAscii(raw: string): string | undefined {
  const labels = lowerAscii(raw)
    .split('.')
    .map((label) => (IS_ASCII.test(label) ? label : toAceLabel(label)));
  return labels.includes(undefined) ? undefined : labels.join('.');
}

const IS_ASCII = /^[\x21-\x7e]*$/;
/** Letters, marks and digits, at least one a letter; symbols, joiners and full stops of other scripts are not names. */
const IDN_LABEL = /^(?=.*\p{L})[\p{L}\p{M}\p{Nd}-]+$/u;

function toAceLabel(label: string): string | undefined {
  if (!IDN_LABEL.test(label) || label.normalize('NFKC') !== label) return undefined;
  const ascii = domainToASCII(label);
  return ascii.startsWith('xn--') && !ascii.includes('.') ? ascii : undefined;
}

const refused = (rule: HostRule): ParsedHost => ({ ok: false, rule });
