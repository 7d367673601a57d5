import { useMemo } from 'react';
import { keyApi, tokenApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { type Names, namesOf } from './words.ts';

/** What keys of the machine and tokens of an API are called; undefined until it is known. Those that are gone have no name any more. */
export function useNames(apiId: string): Names | undefined {
  const { slug } = useMachine();
  const keys = useResource(`keys/${slug}`, (signal) => keyApi.list(slug, signal)).data?.keys;
  const tokens = useResource(`tokens/${slug}/${apiId}`, (signal) => tokenApi.list(slug, apiId, signal)).data
    ?.tokens;
  return useMemo(() => keys && tokens && namesOf([...keys, ...tokens]), [keys, tokens]);
}
