import { href } from '../router.ts';
import { PageHeading } from '../ui/heading.tsx';

export const NotHere = () => (
  <>
    <PageHeading title="Nothing is here" lead="The address may be old, or mistyped." />
    <a className="button" href={href()}>
      To your APIs
    </a>
  </>
);
