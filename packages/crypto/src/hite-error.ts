/** The codes are those of the wire, but for `hite_truncated`, which a client sees when an answer breaks off. */
export type HiteErrorCode =
  | 'hite_session_unknown'
  | 'hite_frame_refused'
  | 'hite_replayed'
  | 'hite_truncated';

const TEXTS: Record<HiteErrorCode, string> = {
  hite_session_unknown: 'The HITE session is unknown or over.',
  hite_frame_refused: 'The HITE frame does not open.',
  hite_replayed: 'The HITE counter has been seen before, or is too old to tell.',
  hite_truncated: 'The HITE answer broke off before its end.',
};

/** A frame that is not believed. Its text depends on the code alone. */
export class HiteError extends Error {
  override name = 'HiteError';
  declare readonly code: HiteErrorCode;

  constructor(code: HiteErrorCode) {
    super(TEXTS[code]);
    Object.defineProperty(this, 'code', { value: code, enumerable: true });
  }
}
