import type { TestResult } from '@zeq/contracts';
import { useState } from 'react';
import { presetOf } from '../providers.ts';
import { EMPTY, type Faults, type Form, faultsOf, withProvider } from './registration.ts';

export interface Draft {
  form: Form;
  faults: Faults;
  /** What the last test found; gone as soon as something it was about has changed. */
  result: TestResult | undefined;
  testPath: string;
  change: (part: Partial<Form>) => void;
  choose: (provider: Form['provider']) => void;
  setTestPath: (path: string) => void;
  setResult: (result: TestResult) => void;
  /** Looks for faults and leads to the first one. @returns Whether there is none. */
  isComplete: () => boolean;
  forget: () => void;
}

/** A registration while it is being written. */
export function useDraft(): Draft {
  const [form, setForm] = useState<Form>(EMPTY);
  const [faults, setFaults] = useState<Faults>({});
  const [result, setResult] = useState<TestResult>();
  const [writtenPath, setTestPath] = useState<string>();
  const preset = form.provider === 'custom' ? undefined : presetOf(form.provider);
  const change = (part: Partial<Form>) => {
    setForm({ ...form, ...part });
    setResult(undefined);
    setFaults(Object.fromEntries(Object.entries(faults).filter(([name]) => !(name in part))));
  };
  const choose = (provider: Form['provider']) => {
    setForm(withProvider(form, provider));
    setResult(undefined);
    setFaults({});
    setTestPath(undefined);
  };
  const isComplete = () => {
    const found = faultsOf(form);
    setFaults(found);
    if (Object.keys(found).length > 0) focusFirstFault();
    return Object.keys(found).length === 0;
  };
  const testPath = writtenPath ?? preset?.testPath ?? '/';
  const forget = () => setForm(EMPTY);
  return { form, faults, result, testPath, change, choose, setTestPath, setResult, isComplete, forget };
}

/** After the faults have been drawn. One inside of a closed part opens it first. */
function focusFirstFault(): void {
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLElement>('[aria-invalid="true"]');
    field?.closest('details')?.setAttribute('open', '');
    field?.focus();
  });
}
