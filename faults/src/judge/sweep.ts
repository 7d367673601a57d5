import { NeedleSearch } from '../../../e2e/src/needle-search.ts';
import { formsOf } from '../../../e2e/src/secret-forms.ts';
import type { Verdict } from '../verdict.ts';

/** No file below these folders (logs, data files, a database's heap and WAL) holds any form of the secret, or twelve bytes of one. */
export async function judgeFiles(
  verdict: Verdict,
  folders: readonly string[],
  secret: string,
): Promise<void> {
  const search = new NeedleSearch(formsOf(secret));
  const hits: string[] = [];
  for (const folder of folders) hits.push(...(await search.hitsBelow(folder)));
  verdict.none('files that hold the canary in any form', hits);
}
