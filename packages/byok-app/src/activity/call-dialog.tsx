import type { ActivityEntry } from '@zeq/contracts';
import type { ReactNode } from 'react';
import { CallProof } from '../audit/call-proof.tsx';
import { bytes, exact } from '../plot/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { callerOf, endOf, noOf } from './words.ts';

const KINDS = { call: 'call', websocket: 'WebSocket', test: 'test' } as const;

interface CallDialogProps {
  entry: ActivityEntry;
  apiId: string;
  onClose: () => void;
}

/** All that is known of one call. */
export function CallDialog({ entry, apiId, onClose }: CallDialogProps) {
  const { tone, label } = endOf(entry);
  return (
    <Dialog title={`${entry.method} ${entry.path}`} onClose={onClose}>
      <dl className="facts call-facts numbers">
        <Fact label="Ended">
          <Badge tone={tone}>{label}</Badge>
        </Fact>
        <Fact label="Who said no">{noOf(entry) || 'nobody'}</Fact>
        <Fact label="Began (local)">{new Date(entry.at).toLocaleString()}</Fact>
        <Fact label="Began (UTC)">{entry.at.replace('T', ' ').replace('Z', '')}</Fact>
        <Fact label="Caller">
          {callerOf(entry)} <span className="faint">({entry.caller.kind})</span>
        </Fact>
        <Fact label="Kind">{KINDS[entry.kind]}</Fact>
        <Fact label="Took">{entry.duration_ms.toLocaleString('en')} ms</Fact>
        <Fact label="Received / sent">
          {bytes(entry.bytes_out)} / {bytes(entry.bytes_in)}
        </Fact>
        <Fact label="Model tokens">{tokenWords(entry)}</Fact>
        <Fact label="Request">
          <span className="mono">{entry.request_id}</span>
        </Fact>
      </dl>
      <p className="faint">Queries, headers and bodies are never recorded.</p>
      <CallProof entry={entry} apiId={apiId} />
      <div className="dialog-actions">
        <CopyButton text={entry.request_id} what="request id" label="Copy request id" kind="quiet" />
        <Button onClick={onClose} autoFocus>
          Close
        </Button>
      </div>
    </Dialog>
  );
}

const Fact = ({ label, children }: { label: string; children: ReactNode }) => (
  <div>
    <dt>{label}</dt>
    <dd>{children}</dd>
  </div>
);

const tokenWords = ({ tokens_in, tokens_out }: ActivityEntry): string =>
  tokens_in === null && tokens_out === null
    ? 'not stated'
    : `${exact(tokens_in ?? 0)} in, ${exact(tokens_out ?? 0)} out`;
