import type { Computation, OperatorDetails, OperatorParameter } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { operatorApi } from '../api/mesh.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/states.tsx';
import { useAction } from '../ui/use-action.ts';

/** A field for each parameter; a number in its unit, or a quantity in any other unit that fits. */
export function Calculator({ operator }: { operator: OperatorDetails }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [result, setResult] = useState<Computation>();
  const compute = useAction(async () => setResult(await operatorApi.execute(operator.id, toParams(values))));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void compute.run();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <div className="fields">
        {operator.parameters.map((parameter) => (
          <TextField
            key={parameter.name}
            label={labelOf(parameter)}
            hint={parameter.description}
            placeholder={parameter.default === null ? 'required' : String(parameter.default)}
            value={values[parameter.name] ?? ''}
            onChange={(event) => setValues({ ...values, [parameter.name]: event.target.value })}
          />
        ))}
      </div>
      {compute.error && <ProblemNote error={compute.error} />}
      <div className="actions">
        <Button kind="primary" type="submit" isBusy={compute.isBusy}>
          Compute
        </Button>
      </div>
      {result && <Result result={result} />}
    </form>
  );
}

const labelOf = ({ name, unit }: OperatorParameter) => (unit === '1' ? name : `${name} (${unit})`);

/** A plain number is one in the parameter's unit; anything else is a quantity, for example "5 km". Empty fields keep their default. */
export function toParams(values: Record<string, string>): Record<string, number | string> {
  const filled = Object.entries(values).filter(([, text]) => text.trim() !== '');
  return Object.fromEntries(
    filled.map(([name, text]) => [name, Number.isFinite(Number(text)) ? Number(text) : text.trim()]),
  );
}

function Result({ result }: { result: Computation }) {
  const value = Array.isArray(result.value) ? result.value.join(', ') : formatValue(result.value);
  return (
    <section className="destination" aria-label="Result" aria-live="polite">
      <p className="result-value">
        {value} {result.unit !== '1' && <span className="muted">{result.unit}</span>}
      </p>
      <p className="muted numbers">
        Zeqond {result.zeqond}, phase {result.phase.toFixed(3)}, R(t) = {result.r.toFixed(6)}
      </p>
      <Proof result={result} />
    </section>
  );
}

/** Nine digits: more than any of the constants is known to. */
const formatValue = (value: number): string => String(Number(value.toPrecision(9)));

function Proof({ result }: { result: Computation }) {
  const [isValid, setValid] = useState<boolean>();
  const check = useAction(async () => setValid((await operatorApi.verify(result)).valid));
  return (
    <>
      <p className="mono wrap-anywhere faint">proof {result.proof}</p>
      {check.error && <ProblemNote error={check.error} />}
      <div className="actions">
        <Button isBusy={check.isBusy} onClick={() => void check.run()}>
          Check the proof
        </Button>
        <CopyButton text={JSON.stringify(result, null, 2)} what="result with its proof" />
        {isValid !== undefined && (
          <Badge tone={isValid ? 'ok' : 'bad'}>
            {isValid ? 'The proof holds' : 'The proof does not hold'}
          </Badge>
        )}
      </div>
    </>
  );
}
