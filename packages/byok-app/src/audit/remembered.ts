/** How the log stood when it was last verified here. */
export interface RememberedHead {
  size: number;
  root: string;
}

const KEY = 'zeq-audit-head';

/** One for each mesh: what a page keeps belongs to its origin. What cannot be read was never kept. */
export function rememberedHead(): RememberedHead | undefined {
  try {
    const { size, root } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<RememberedHead>;
    const isHead = Number.isSafeInteger(size) && /^[0-9a-f]{64}$/.test(root ?? '');
    return isHead ? { size: size!, root: root! } : undefined;
  } catch {
    return undefined;
  }
}

export const rememberHead = ({ size, root }: RememberedHead): void =>
  localStorage.setItem(KEY, JSON.stringify({ size, root }));

export const forgetHead = (): void => localStorage.removeItem(KEY);
