import { useState } from 'react';
import { forwardUrl } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import { href } from '../router.ts';
import { Choice } from '../ui/choice.tsx';
import { CodeBlock } from '../ui/copy.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { snippetsFor } from './snippets.ts';

/** Three lines for an app: the address, the token, and code in the language at hand. */
export function ConnectTab({ api }: TabProps) {
  const { slug, mayEdit } = useMachine();
  const forward = forwardUrl(slug, api.name);
  const snippets = snippetsFor(api, forward);
  const [chosen, setChosen] = useState(snippets[0]?.id);
  const snippet = snippets.find(({ id }) => id === chosen);
  return (
    <div className="stack stack-wide">
      <section className="stack">
        <h2>Base URL for your app</h2>
        <p className="muted">
          Any path behind it goes to <code>{api.base_url}</code>, with the credential attached on the way.
        </p>
        <CodeBlock code={forward} what="base URL" />
      </section>
      <section className="stack">
        <h2>Code</h2>
        <Choice
          label="Language"
          options={snippets.map(({ id, label }) => [id, label] as const)}
          chosen={chosen}
          onChoose={setChosen}
        />
        {snippet && <CodeBlock code={snippet.code} what={`${snippet.label} code`} />}
        <p className="muted">
          <code>ZEQ_TOKEN</code> is an app token.{' '}
          {mayEdit ? (
            <a href={href('apis', api.name, 'tokens')}>Make one</a>
          ) : (
            'An owner of the machine makes them.'
          )}{' '}
          It goes wherever the SDK puts its key; the mesh takes it out and puts the real one in.
        </p>
      </section>
    </div>
  );
}
