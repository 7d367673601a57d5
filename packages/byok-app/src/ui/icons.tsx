/** A line icon on a 20 px grid. It repeats what words beside it say, so assistive technology passes over it. */
const Line = ({ d }: { d: string }) => (
  <svg className="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" focusable="false">
    <path d={d} />
  </svg>
);

export const KeyIcon = () => (
  <Line d="M12.5 3.5a4 4 0 1 1-3.2 6.4L4 15.2V17h2.6v-2h2v-2l1.1-1.1M13.2 6.8h.01" />
);
export const LayersIcon = () => (
  <Line d="m10 3 7 3.8-7 3.7-7-3.7L10 3Zm-7 7.4 7 3.7 7-3.7M3 13.8l7 3.7 7-3.7" />
);
export const ClockIcon = () => <Line d="M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM10 5.8V10l2.8 1.8" />;
export const SigmaIcon = () => <Line d="M15 6V4H5.5L11 10l-5.5 6H15v-2" />;
export const RotateIcon = () => (
  <Line d="M16.5 10a6.5 6.5 0 0 1-11.6 4M3.5 10a6.5 6.5 0 0 1 11.6-4M15.5 2.8V6h-3.2M4.5 17.2V14h3.2" />
);
export const PlusIcon = () => <Line d="M10 4v12M4 10h12" />;
export const CopyIcon = () => (
  <Line d="M7.5 7.5V4.2c0-.7.5-1.2 1.2-1.2h7.1c.7 0 1.2.5 1.2 1.2v7.1c0 .7-.5 1.2-1.2 1.2h-3.3M4.2 7.5h7.1c.7 0 1.2.5 1.2 1.2v7.1c0 .7-.5 1.2-1.2 1.2H4.2c-.7 0-1.2-.5-1.2-1.2V8.7c0-.7.5-1.2 1.2-1.2Z" />
);
export const CheckIcon = () => <Line d="m4.5 10.5 3.7 3.7 7.3-8" />;
export const CrossIcon = () => <Line d="m5.5 5.5 9 9m0-9-9 9" />;
export const WarnIcon = () => <Line d="M10 3.2 18 16.8H2L10 3.2Zm0 5V12m0 2.3v.01" />;
export const EyeIcon = () => (
  <Line d="M2 10s2.9-5.5 8-5.5S18 10 18 10s-2.9 5.5-8 5.5S2 10 2 10Zm8 2.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6Z" />
);
export const EyeOffIcon = () => (
  <Line d="M3 3l14 14M8.2 4.7A8 8 0 0 1 10 4.5c5.1 0 8 5.5 8 5.5a13 13 0 0 1-2.3 3M5.5 6.2A12.5 12.5 0 0 0 2 10s2.9 5.5 8 5.5c1.4 0 2.6-.4 3.7-.9M8.4 8.4a2.3 2.3 0 0 0 3.2 3.2" />
);
export const SunIcon = () => (
  <Line d="M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 1.8v1.4m0 13.6v1.4M18.2 10h-1.4M3.2 10H1.8m14-5.8-1 1m-9.6 9.6-1 1m0-11.6 1 1m9.6 9.6 1 1" />
);
export const MoonIcon = () => <Line d="M16.8 12A7.2 7.2 0 0 1 8 3.2 7.2 7.2 0 1 0 16.8 12Z" />;
export const AutoIcon = () => <Line d="M3 4.5h14v9H3v-9Zm4 12.5h6m-3-3.5V17" />;
export const OutIcon = () => <Line d="M8 3.5H4.5v13H8M12 6.5 15.5 10 12 13.5M15.5 10H8" />;
export const MenuIcon = () => <Line d="M3 6h14M3 10h14M3 14h14" />;
export const ArrowIcon = () => <Line d="M4 10h12m-4.5-4.5L16 10l-4.5 4.5" />;
export const BackIcon = () => <Line d="M16 10H4m4.5-4.5L4 10l4.5 4.5" />;
export const PlayIcon = () => <Line d="M6 4v12l10-6L6 4Z" />;
export const StopIcon = () => <Line d="M5.5 5.5h9v9h-9z" />;
export const ShieldIcon = () => (
  <Line d="M10 2.5 16.5 5v4.8c0 4-2.7 6.5-6.5 7.7-3.8-1.2-6.5-3.7-6.5-7.7V5L10 2.5Zm-2.7 7.3 2 2 3.5-3.8" />
);
export const ChartIcon = () => <Line d="M3 17h14M5.5 14V9.5M10 14V4.5m4.5 9.5V7" />;
export const ListIcon = () => <Line d="M7 5.5h10M7 10h10M7 14.5h10M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01" />;
export const DownloadIcon = () => <Line d="M10 3.5v9m-3.8-3.6L10 12.7l3.8-3.8M3.5 16.5h13" />;
export const SearchIcon = () => <Line d="M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4" />;
export const TrashIcon = () => <Line d="M3.5 5.5h13M8 5.5v-2h4v2m-6.5 0 .7 11h7.6l.7-11M8.5 8.5v5m3-5v5" />;

export const Spinner = () => <span className="spinner" aria-hidden="true" />;

/** The mark of the page: two nodes and the road between them. */
export const Mark = ({ size = 28 }: { size?: number }) => (
  <svg className="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" />
    <path d="M10 10.5h12L10 21.5h12" />
    <circle cx="10" cy="10.5" r="2.4" />
    <circle cx="22" cy="21.5" r="2.4" />
  </svg>
);
