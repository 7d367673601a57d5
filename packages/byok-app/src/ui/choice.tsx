interface ChoiceProps<T extends string> {
  label: string;
  options: readonly (readonly [T, string])[];
  chosen: T | undefined;
  onChoose: (value: T) => void;
}

/** A few options side by side, one of them in force. */
export const Choice = <T extends string>({ label, options, chosen, onChoose }: ChoiceProps<T>) => (
  <fieldset className="choice">
    <legend className="sr-only">{label}</legend>
    {options.map(([value, text]) => (
      <button key={value} type="button" aria-pressed={value === chosen} onClick={() => onChoose(value)}>
        {text}
      </button>
    ))}
  </fieldset>
);
