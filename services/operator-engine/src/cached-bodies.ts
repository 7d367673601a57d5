import { sha256 } from '@zeq/crypto';
import type { Request, Response } from 'express';
import type { ViewAudience } from './views.ts';

const MAX_BODIES = 200;
const PUBLIC_SECONDS = 300;

interface Body {
  bytes: Buffer;
  etag: string;
}

/**
 * Answers of the built-in catalogue, which never change while the process lives. Anybody's cache may keep the public ones for five
 * minutes; the others belong to one caller and are asked about each time. Their ETags differ, because their bytes do.
 */
export class CachedBodies {
  readonly #bodies = new Map<string, Body>();

  /** @param key Names the content; within one audience the same key has to mean the same bytes. */
  send(req: Request, res: Response, audience: ViewAudience, key: string, content: () => unknown): void {
    const { bytes, etag } = this.#body(`${audience} ${key}`, content);
    setCacheHeaders(res, audience);
    res.set('ETag', etag).type('application/json');
    if (req.fresh) res.status(304).end();
    else res.send(bytes);
  }

  #body(key: string, content: () => unknown): Body {
    const known = this.#bodies.get(key);
    if (known !== undefined) return known;
    if (this.#bodies.size >= MAX_BODIES) this.#bodies.clear();
    const bytes = Buffer.from(JSON.stringify(content()));
    const body = { bytes, etag: `"${sha256(bytes).toString('base64url').slice(0, 27)}"` };
    this.#bodies.set(key, body);
    return body;
  }
}

/** `Vary` names every header by which a caller may be known, so that no cache shows one audience's answer to the other. */
function setCacheHeaders(res: Response, audience: ViewAudience): void {
  res.set('Vary', 'Authorization, Cookie, X-API-Key');
  res.set('Cache-Control', audience === 'public' ? `public, max-age=${PUBLIC_SECONDS}` : 'private, no-cache');
}
