import type { TabProps } from '../views/api-detail.tsx';
import { CredentialCard } from './credential-card.tsx';
import { GeneralCard } from './general-card.tsx';
import { RemoveCard } from './remove-card.tsx';

/** Everything about an API that its owner may change. */
export const SettingsTab = (props: TabProps) => (
  <div className="stack stack-wide">
    <GeneralCard {...props} />
    <CredentialCard {...props} />
    <RemoveCard {...props} />
  </div>
);
