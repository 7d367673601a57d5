/**
 * What can be wrong with what the mesh says of its record, in the order in which it is looked at.
 * - `shape`: no proof at all; `page`: the call is not in its batch; `log`: the log does not hold it; `other`: it is not of this API
 * - `differs`: another call than the one on the screen; `missing`: on the screen, but in no record
 * - `order`, `gap`: calls that do not follow one another by their numbers
 * - `history`: the log of before is not the beginning of this one
 * - `head`, `signature`, `key`: the clock has signed something else, has not signed it, or was another one
 */
export type Step =
  | 'shape'
  | 'page'
  | 'log'
  | 'other'
  | 'differs'
  | 'missing'
  | 'order'
  | 'gap'
  | 'history'
  | 'head'
  | 'signature'
  | 'key';

export interface Fault {
  step: Step;
  /** What differs, or which calls are missing. */
  of?: string;
}

const WORDS: Record<Step, string> = {
  shape: 'What the mesh sent is no proof.',
  page: 'The record holds something else under this number.',
  log: 'The log does not hold it, word for word, in the place that the mesh states.',
  other: 'What the mesh sent belongs to another API.',
  differs: 'What is shown here is not what was recorded. Different',
  missing: 'The mesh shows it, but its record does not hold it.',
  order: 'It stands out of order.',
  gap: 'Calls are missing in front of it',
  history: 'The log was rewritten: what it held when you verified it last is not all in it any more.',
  head: 'The clock has signed another log than this one.',
  signature: 'The tick that should vouch for the log carries a bad signature.',
  key: 'The tick that vouches for the log was signed with another key than the clock of this mesh.',
};

/** What failed, as a sentence. */
export const faultWords = ({ step, of }: Fault): string =>
  of === undefined ? WORDS[step] : `${WORDS[step]}: ${of}.`;
