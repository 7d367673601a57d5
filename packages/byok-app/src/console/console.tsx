import { forwardUrl } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import type { TabProps } from '../views/api-detail.tsx';
import { Answer } from './answer.tsx';
import { RequestForm } from './request-form.tsx';
import { samplesFor } from './sample-requests.ts';
import { useSending } from './use-sending.ts';

/** A request through the mesh, with this session instead of a token, and its answer while it streams. */
export function ConsoleTab({ api }: TabProps) {
  const { slug } = useMachine();
  const { progress, isRunning, send, stop } = useSending();
  return (
    <div className="console">
      <RequestForm
        samples={samplesFor(api)}
        forward={forwardUrl(slug, api.name)}
        isRunning={isRunning}
        onSend={send}
        onStop={stop}
      />
      <Answer progress={progress} />
    </div>
  );
}
