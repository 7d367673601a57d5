import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  deriveHiteSession,
  HiteError,
  HiteResponseOpener,
  type HiteSession,
  openHiteRequest,
  ReplayWindow,
} from '../src/index.ts';
import { openZeqFile } from '../src/web/index.ts';
import { collected } from './collected.ts';

/** The vectors published for other languages: what they were made with must still read them. */
const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../docs/vectors/${name}`, import.meta.url), 'utf8')) as T;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

interface HiteVectors {
  session: Record<
    'secret' | 'session_id' | 'client_nonce' | 'server_nonce' | 'request_key' | 'response_key',
    string
  >;
  requests: { counter: number; plaintext: string; frame: string }[];
  answers: { request_counter: number; frames: { kind: string; payload: string }[]; wire: string }[];
  refused: { what: string; wire: string; fault: 'refused' | 'truncated' }[];
  window: { counter: number; taken: boolean }[];
}

describe('docs/vectors/hite.json', () => {
  const { session, requests, answers, refused, window } = vectors<HiteVectors>('hite.json');
  const opened: HiteSession = {
    id: session.session_id,
    expiresAtMs: 1,
    requestKey: createSecretKey(hex(session.request_key)),
    responseKey: createSecretKey(hex(session.response_key)),
  };

  it('derives the session keys', async () => {
    const derived = await deriveHiteSession(session.secret, {
      sessionId: session.session_id,
      clientNonce: hex(session.client_nonce),
      serverNonce: hex(session.server_nonce),
      expiresAtMs: 1,
    });

    expect(derived.requestKey.equals(opened.requestKey)).toBe(true);
    expect(derived.responseKey.equals(opened.responseKey)).toBe(true);
  });

  it('opens the requests', () => {
    for (const { counter, plaintext, frame } of requests) {
      const request = openHiteRequest(opened, hex(frame), 0);
      expect([request.counter, request.plaintext.toString()]).toEqual([counter, plaintext]);
    }
  });

  it('opens the answers', () => {
    for (const { request_counter, frames, wire } of answers) {
      const opener = new HiteResponseOpener(opened, request_counter);
      const parts = opener
        .push(hex(wire))
        .map(({ kind, payload }) => ({ kind, payload: payload.toString() }));
      opener.finish();
      expect(parts).toEqual(frames.map(({ kind, payload }) => ({ kind, payload })));
    }
  });

  it.each(refused)('does not take $what for an answer', ({ wire, fault }) => {
    const opener = new HiteResponseOpener(opened, 0);
    const read = () => {
      opener.push(hex(wire));
      opener.finish();
    };

    expect(read).toThrow(new HiteError(fault === 'refused' ? 'hite_frame_refused' : 'hite_truncated'));
  });

  it('takes the counters that the window takes', () => {
    const replay = new ReplayWindow();

    expect(window.map(({ counter }) => ({ counter, taken: replay.accept(counter) }))).toEqual(window);
  });
});

describe('docs/vectors/zeq-file.json', () => {
  const { whole } = vectors<{ whole: { name: string; passphrase: string; content: string; file: string }[] }>(
    'zeq-file.json',
  );

  it.each(whole)('opens the $name file', async ({ passphrase, content, file }) => {
    const opened = await openZeqFile([hex(file)], passphrase);

    expect(Buffer.concat(await collected(opened.content)).toString()).toBe(content);
  });
});
