import { ask } from '../api/client.ts';

/**
 * Saves an answer of the mesh as a file. A plain link would not do: the session counts only beside the header of the page.
 *
 * @throws as `call`.
 */
export async function download(path: string, fileName: string): Promise<void> {
  const answer = await ask('GET', path);
  save(await answer.blob(), fileName);
}

/** Saves what is known already. */
export function save(content: Blob, fileName: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000); // the browser has taken it by then
}
