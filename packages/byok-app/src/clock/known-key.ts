/** The clock's key (Ed25519, hex) as this page has seen it since it was loaded: one clock signs everything that it shows. */
let known: string | undefined;

export const knownKey = (): string | undefined => known;

/** The clock that is followed live. */
export const followKey = (key: string): void => {
  known = key;
};

/** A tick that was looked up and verified: its key is believed where none was known. */
export const noteKey = (key: string): void => {
  known ??= key;
};
