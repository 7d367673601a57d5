import type { TestResult, TestStep } from '@zeq/contracts';
import { CheckIcon, CrossIcon } from '../ui/icons.tsx';
import { Scroll } from '../ui/scroll.tsx';

/** The road of a call in words, in the order of contracts. */
const STEPS: readonly [TestStep, string][] = [
  ['decision', 'Allowed'],
  ['name', 'Name found'],
  ['guard', 'Address permitted'],
  ['connect', 'Connected'],
  ['tls', 'TLS'],
  ['response', 'Answered'],
  ['authentication', 'Credential accepted'],
  ['status', 'Success'],
];

/** What a test call found out: how far it came, what it cost, and what the upstream said. */
export function TestReport({ result, baseUrl }: { result: TestResult; baseUrl: string }) {
  const steps = STEPS.filter(([step]) => step !== 'tls' || baseUrl.trim().startsWith('https:'));
  const failedAt = steps.findIndex(([step]) => step === result.failed_step);
  return (
    <section className="test-result" aria-label="Result of the test">
      <div className={`notice ${result.ok ? 'notice-ok' : 'notice-bad'}`} role="status">
        {result.ok ? <CheckIcon /> : <CrossIcon />}
        <div className="notice-text">
          <strong>
            {result.ok ? 'It works' : `Failed at: ${steps[failedAt]?.[1].toLowerCase() ?? 'the call'}`}
          </strong>
          <p>{result.ok ? 'The upstream took the credential and answered.' : result.detail}</p>
        </div>
        <span className="numbers muted">
          {result.status !== null && `${result.status} · `}
          {Math.round(result.latency_ms)} ms
        </span>
      </div>
      <ol className="steps" aria-label="Steps">
        {steps.map(([step, label], i) => (
          <Step
            key={step}
            label={label}
            state={result.ok || i < failedAt ? 'ok' : i === failedAt ? 'failed' : 'not reached'}
          />
        ))}
      </ol>
      {result.body !== '' && (
        <details>
          <summary>Answer{result.body_truncated ? ' (first 64 KiB)' : ''}</summary>
          <Scroll className="output" label="Answer of the upstream">
            {result.body}
          </Scroll>
        </details>
      )}
    </section>
  );
}

function Step({ label, state }: { label: string; state: 'ok' | 'failed' | 'not reached' }) {
  return (
    <li className={`step-${state.replace(' ', '-')}`}>
      {state === 'ok' ? (
        <CheckIcon />
      ) : state === 'failed' ? (
        <CrossIcon />
      ) : (
        <span aria-hidden="true">–</span>
      )}
      {label}
      <span className="sr-only">: {state}</span>
    </li>
  );
}
