import { type LocalUpstream, openLocalUpstream, sendJson } from './local-upstream.ts';

/**
 * An upstream that gives everything away: target and headers of the request come back in its answer's headers and body,
 * as they are and in base64. `/status/N` answers with that status.
 */
export function openReflectingUpstream(): Promise<LocalUpstream> {
  return openLocalUpstream({
    answer: (req, res) => {
      const seen = { url: req.url, headers: req.rawHeaders };
      const text = JSON.stringify(seen);
      const status = Number(/\/status\/(\d{3})/.exec(req.url ?? '')?.[1] ?? 200);
      const base64 = Buffer.from(text).toString('base64');
      const credentials = [req.headers.authorization, req.headers['x-canary'], req.url].filter(Boolean);
      sendJson(res, status, { ...seen, base64 }, { 'x-reflected': credentials.join(' ') });
    },
  });
}
