import { TextArea, TextField } from '../ui/field.tsx';
import type { SettingsField } from './general-card.tsx';

/** What the mesh holds every call against. The defaults suit most APIs, so it is folded away. */
export const PolicyFields = ({ field }: { field: SettingsField }) => (
  <details>
    <summary>Policy</summary>
    <div className="stack">
      <div className="fields">
        <TextField label="Calls at once" inputMode="numeric" {...field('concurrency')} />
        <TextField label="Largest request body (MiB)" inputMode="decimal" {...field('maxBodyMib')} />
        <TextField label="Connect within (s)" inputMode="decimal" {...field('connectSeconds')} />
        <TextField label="First byte within (s)" inputMode="decimal" {...field('firstByteSeconds')} />
        <TextField label="Silence allowed (s)" inputMode="decimal" {...field('idleSeconds')} />
        <TextField label="Allowed methods" placeholder="GET, POST" hint="Empty: any." {...field('methods')} />
      </div>
      <div className="fields">
        <TextArea
          label="Allowed paths"
          placeholder="/v1/"
          hint="Beginnings, one a line. Empty: any."
          {...field('paths')}
        />
        <TextArea
          label="Extra headers"
          hint="Name: value, one a line. Not for secrets."
          {...field('extraHeaders')}
        />
      </div>
    </div>
  </details>
);
