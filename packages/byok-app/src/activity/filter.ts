import type { ActivityQuery } from '@zeq/contracts';

/** What is looked for, as it stands in the fields; an empty one asks for nothing. */
export interface Filter {
  status: '' | NonNullable<ActivityQuery['status']>;
  saidNo: '' | NonNullable<ActivityQuery['said_no']>;
  caller: string;
  path: string;
}

export const NO_FILTER: Filter = { status: '', saidNo: '', caller: '', path: '' };

export const isFiltered = (filter: Filter): boolean => Object.values(filter).some((value) => value !== '');

/** The part of a question that a filter stands for. */
export function queryFor({ status, saidNo, caller, path }: Filter): ActivityQuery {
  return {
    ...(status !== '' && { status }),
    ...(saidNo !== '' && { said_no: saidNo }),
    ...(caller !== '' && { caller: caller as NonNullable<ActivityQuery['caller']> }),
    ...(path.trim() !== '' && { path: path.trim() }),
  };
}
