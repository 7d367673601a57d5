import { Button } from './button.tsx';
import { download } from './download.ts';
import { DownloadIcon } from './icons.tsx';
import { say } from './toast.tsx';
import { useAction } from './use-action.ts';

interface DownloadButtonProps {
  what: string;
  /** Asked for when it is pressed: what is downloaded ends now. */
  path: () => string;
  fileName: string;
}

/** Saves figures as CSV. */
export function DownloadButton({ what, path, fileName }: DownloadButtonProps) {
  const save = useAction(async () => {
    try {
      await download(path(), fileName);
      say(`${fileName} is saved`);
    } catch (err) {
      say(`Not downloaded: ${(err as Error).message}`);
    }
  });
  return (
    <Button
      icon={<DownloadIcon />}
      isBusy={save.isBusy}
      aria-label={`Download ${what} as CSV`}
      onClick={() => void save.run()}
    >
      CSV
    </Button>
  );
}
