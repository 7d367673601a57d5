import { Component, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { WarnIcon } from '../ui/icons.tsx';
import { Empty } from '../ui/states.tsx';

/** A view that breaks, or that could not be loaded after an update, takes only itself along. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Empty
        title="This view could not be shown"
        art={<WarnIcon />}
        action={
          <Button kind="primary" onClick={() => location.reload()}>
            Load the page again
          </Button>
        }
      >
        <p>
          The page may have been updated while it was open, or the connection broke. Nothing was lost on the
          mesh.
        </p>
      </Empty>
    );
  }
}
