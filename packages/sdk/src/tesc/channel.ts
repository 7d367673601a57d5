import type { TescMessage } from '@zeq/contracts';
import {
  bytesOfHex,
  deriveTescClientKeys,
  hexOf,
  newTescClientUid,
  openTescMessage,
  phaseOf,
  sealTescMessage,
  TescClientError,
  type TescClientKeys,
  tescJoinPlat,
  tescMessagePlat,
  utf8Bytes,
  verifyTescMessage,
  ZEQOND_MS,
  zeqondOf,
} from '@zeq/crypto/web';
import { base64UrlOf, bytesOfBase64Url } from '../client/base64.ts';
import type { CallOptions } from '../client/core.ts';
import { ZeqError } from '../client/zeq-error.ts';
import type { TescJoined, TescSent } from '../wire.ts';
import type { TescRoutes } from './tesc.ts';

/** Where a sender stands in a channel. Keep it to go on after a restart: a uid joins once. */
export interface TescMember {
  uid: string;
  /** The sender's last PLAT, 64 hex digits. */
  plat: string;
}

/** A message as it was read: who, when, what. */
export interface TescReceived {
  seq: number;
  uid: string;
  zeqond: number;
  text: string;
}

/** A clock that is off is corrected by what the mesh answers; twice, because a Zeqond may end meanwhile. */
const MAX_ATTEMPTS = 3;
/** Another message of this uid came first; the uid is not this machine's. */
const PLACE_LOST = ['conflict', 'forbidden'];

/** One channel with its secret: messages are sealed and opened here, and the mesh sees ciphertext. */
export class TescChannelClient {
  readonly id: string;
  readonly #routes: TescRoutes;
  readonly #keys: TescClientKeys;
  #member: TescMember | undefined;
  #correctionMs = 0;

  private constructor(routes: TescRoutes, id: string, keys: TescClientKeys, member?: TescMember) {
    this.id = id;
    this.#routes = routes;
    this.#keys = keys;
    this.#member = member;
  }

  /** @param member Where an earlier run stopped. @throws RangeError for a secret of less than 32 characters. */
  static async open(
    routes: TescRoutes,
    id: string,
    secret: string,
    member?: TescMember,
  ): Promise<TescChannelClient> {
    return new TescChannelClient(routes, id, await deriveTescClientKeys(secret, id), member);
  }

  /** Where this sender stands; undefined before it joined. */
  get member(): TescMember | undefined {
    return this.#member && { ...this.#member };
  }

  /** Joins under a new uid, by showing that the secret is known; the secret itself stays here. */
  async join(options?: CallOptions): Promise<TescMember> {
    const uid = newTescClientUid();
    const joined = await this.#inTheMoment<TescJoined>(async (zeqond, phase) => {
      const plat = hexOf(await tescJoinPlat(this.#keys, { channel: this.id, uid, zeqond }));
      return this.#routes.join(this.id, { uid, zeqond, phase, plat }, options);
    });
    this.#member = { uid, plat: joined.plat };
    return { ...this.#member };
  }

  /**
   * Seals and sends a text of at most 16,384 bytes; joins first where that has not happened. One at a time. A sender that lost its
   * place (what was kept is older than what was sent, or belongs to another machine) joins anew under another uid.
   */
  async send(text: string, options?: CallOptions): Promise<TescSent> {
    const wasMember = this.#member !== undefined;
    try {
      return await this.#send(text, options);
    } catch (err) {
      if (!wasMember || !(err instanceof ZeqError) || !PLACE_LOST.includes(err.code)) throw err;
      this.#member = undefined;
      return this.#send(text, options);
    }
  }

  async #send(text: string, options: CallOptions | undefined): Promise<TescSent> {
    const { uid } = this.#member ?? (await this.join(options));
    const sent = await this.#inTheMoment<TescSent>((zeqond, phase) =>
      this.#sendAt(uid, text, { zeqond, phase }, options),
    );
    this.#member = { uid, plat: sent.plat };
    return sent;
  }

  /** Checks the PLAT of a message and opens it. @throws ZeqError `plat_invalid` */
  async open(message: TescMessage): Promise<TescReceived> {
    const { seq, uid, zeqond } = message;
    const place = { channel: this.id, uid, zeqond, previous: bytesOfHex(message.prev) };
    const sealed = { iv: bytesOfBase64Url(message.iv), ciphertext: bytesOfBase64Url(message.ciphertext) };
    const isGenuine = await verifyTescMessage(this.#keys, place, sealed, bytesOfHex(message.plat));
    if (!isGenuine) throw notGenuine(seq);
    try {
      return {
        seq,
        uid,
        zeqond,
        text: new TextDecoder().decode(await openTescMessage(this.#keys, place, sealed)),
      };
    } catch (err) {
      if (err instanceof TescClientError) throw notGenuine(seq);
      throw err;
    }
  }

  async #sendAt(
    uid: string,
    text: string,
    { zeqond, phase }: { zeqond: number; phase: number },
    options: CallOptions | undefined,
  ): Promise<TescSent> {
    const prev = this.#member!.plat;
    const place = { channel: this.id, uid, zeqond, previous: bytesOfHex(prev) };
    const sealed = await sealTescMessage(this.#keys, place, utf8Bytes(text));
    const plat = hexOf(await tescMessagePlat(this.#keys, place, sealed));
    const [iv, ciphertext] = [base64UrlOf(sealed.iv), base64UrlOf(sealed.ciphertext)];
    return this.#routes.send(this.id, { uid, zeqond, phase, prev, iv, ciphertext, plat }, options);
  }

  /** Does something in the present Zeqond, and again with a corrected clock when the mesh says that the moment has passed. */
  async #inTheMoment<T>(act: (zeqond: number, phase: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const now = Date.now() + this.#correctionMs;
      try {
        return await act(zeqondOf(now), phaseOf(now));
      } catch (err) {
        if (attempt === MAX_ATTEMPTS || !(err instanceof ZeqError) || err.code !== 'zeqond_window_closed')
          throw err;
        const { correctionMs } = err.members;
        this.#correctionMs += typeof correctionMs === 'number' ? correctionMs : ZEQOND_MS;
      }
    }
  }
}

const notGenuine = (seq: number) =>
  new ZeqError({
    status: 0,
    code: 'plat_invalid',
    detail: `Message ${seq} was not sealed with this secret, or was changed.`,
  });
