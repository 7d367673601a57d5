import { nextChain } from '@zeq/crypto';
import type { AppendAnswer, MessageDraft, StoredMessage } from './tesc-store.ts';

/** Where a channel stands when a message comes. */
export interface Standing {
  depth: number;
  chain: Buffer;
  /** The last PLAT of the sender; undefined for a stranger. */
  prev: Buffer | undefined;
  /** Whether this PLAT is stored already. */
  known: boolean;
}

/** The rules of order, in one place for all stores: known PLATs are replays, and a sender's messages follow each other. */
export function linkMessage(standing: Standing, draft: MessageDraft): AppendAnswer {
  const { depth, chain, prev, known } = standing;
  if (prev === undefined) return { answer: 'gone' };
  if (known || prev.equals(draft.plat)) return { answer: 'replayed' };
  if (!prev.equals(draft.prev)) return { answer: 'stale', prev };
  const message: StoredMessage = {
    ...draft,
    seq: depth + 1,
    chain: nextChain(chain, draft.plat, draft.zeqond, draft.uid),
  };
  return { answer: 'stored', message };
}
