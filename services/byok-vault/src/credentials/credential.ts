import {
  type Auth,
  type AuthShape,
  MAX_AUTH_HEADER_BYTES,
  PROVIDERS,
  type ProviderId,
  secretOfPair,
} from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import { refuseCredentialName } from './credential-names.ts';
import { Secret } from './secret.ts';
import { assessSecret, hintOf, isPlaceholder, MIN_SECRET_CHARS, secretPartOf } from './secret-strength.ts';

/** A credential as its owner gave it, checked: where it goes, what travels there, and what may be told of it. */
export interface Credential {
  shape: AuthShape;
  /** The header's or parameter's value; for `basic` the whole `Basic …`. */
  value: Secret;
  hint: string | null;
  warnings: string[];
}

/** The three ways to give one. At most one of them may be used at a time. */
export interface CredentialInput {
  auth_header?: string | undefined;
  auth?: Auth | undefined;
  api_key?: string | undefined;
}

/**
 * Reads a credential.
 *
 * @param provider Whose preset says where a bare `api_key` goes.
 * @returns undefined when none was given.
 * @throws ProblemError `auth_header_refused` (or `invalid_body`); its text never holds a part of the secret.
 */
export function parseCredential(input: CredentialInput, provider: ProviderId | null): Credential | undefined {
  const given = [input.auth_header, input.auth, input.api_key].filter((value) => value !== undefined);
  if (given.length > 1) throw refuse('Give only one of auth_header, auth and api_key.');
  if (input.auth_header !== undefined) return fromLine(input.auth_header);
  if (input.auth !== undefined) return fromAuth(input.auth);
  if (input.api_key !== undefined) return fromLine(presetLine(input.api_key, provider));
  return undefined;
}

const LINE = /^([^:]*):[ \t]*(.*?)[ \t]*$/s;

function fromLine(line: string): Credential {
  requireSendable(line);
  if (isPlaceholder(line)) throw refusePlaceholder();
  const [, name = '', value = ''] = LINE.exec(line) ?? [];
  if (name === '' || value === '') throw refuse('auth_header must be one whole line: `Name: value`.');
  return fromHeader(name, value);
}

function fromAuth(auth: Auth): Credential {
  if (auth.type === 'basic') return fromBasic(auth.username, auth.password);
  requireSendable(`${auth.name}: ${auth.value}`);
  if (auth.type === 'header') return fromHeader(auth.name, auth.value.trim());
  return build({ type: 'query', name: auth.name }, auth.value, auth.value);
}

function fromHeader(name: string, value: string): Credential {
  const rule = refuseCredentialName(name);
  if (rule !== undefined) throw refuse(rule);
  return build({ type: 'header', name }, value, secretPartOf(value));
}

/** RFC 7617: the user name ends at the first colon, so it cannot hold one. */
function fromBasic(username: string, password: string): Credential {
  requireSendable(`${username}:${password}`);
  if (username.includes(':')) throw refuse('The user name of basic authentication cannot hold a colon.');
  const pair = `${username}:${password}`;
  return build(
    { type: 'basic' },
    `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`,
    secretOfPair(pair) ?? pair,
  );
}

function build(shape: AuthShape, value: string, secret: string): Credential {
  if (isPlaceholder(value) || isPlaceholder(secret)) throw refusePlaceholder();
  if ([...secret].length < MIN_SECRET_CHARS)
    throw new ProblemError(
      'invalid_body',
      `The secret is shorter than ${MIN_SECRET_CHARS} characters: it could not be told apart from ordinary text in an answer.`,
    );
  return { shape, value: Secret.fromText(value), hint: hintOf(secret), warnings: assessSecret(secret) };
}

function presetLine(apiKey: string, provider: ProviderId | null): string {
  if (provider === null) throw refuse('api_key needs a provider; without one, give the whole auth_header.');
  const { authHeader, label } = PROVIDERS[provider];
  if (authHeader === null) throw refuse(`${label} takes no key.`);
  return authHeader.replace('{key}', () => apiKey.trim());
}

/** What can stand in one header line. Text beyond ASCII travels as its UTF-8 bytes (obs-text, RFC 9110 section 5.5). */
function requireSendable(text: string): void {
  if (Buffer.byteLength(text, 'utf8') > MAX_AUTH_HEADER_BYTES)
    throw refuse(`The credential is longer than ${MAX_AUTH_HEADER_BYTES} bytes.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text) || !text.isWellFormed())
    throw refuse('The credential holds line breaks or other control characters.');
  // Whoever keeps only the low byte of a letter makes a line break of `\u010a`: no such letter may come near a header.
  if ([...text].some((letter) => isControlInOneByte(letter.codePointAt(0)!)))
    throw refuse('The credential holds letters that no header can carry.');
}

function isControlInOneByte(code: number): boolean {
  const low = code & 0xff;
  return code > 0xff && (low < 0x20 || low === 0x7f);
}

const refusePlaceholder = () =>
  refuse('This is the hint or a placeholder, not a credential. Leave it out to keep the stored one.');

const refuse = (detail: string) => new ProblemError('auth_header_refused', detail);
