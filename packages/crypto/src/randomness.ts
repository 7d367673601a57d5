/** Why bytes cannot have been drawn at random. Each test hits 32 random bytes with a probability under 2^-40. */
export type NotRandom = 'repeated' | 'sequential' | 'text';

/** What gives a hand-made key away, or undefined for one that may well be random. */
export function notRandom(key: Uint8Array): NotRandom | undefined {
  const digits = Buffer.from(key).toString('hex');
  const nibbles = [...digits].map((digit) => Number.parseInt(digit, 16));
  if (isPeriodic(digits) || new Set(key).size < Math.min(12, key.length / 2)) return 'repeated';
  if (isSequential([...key], 256) || isSequential(nibbles, 16)) return 'sequential';
  return key.every((byte) => byte >= 0x20 && byte < 0x7f) ? 'text' : undefined;
}

/** Whether the text is one piece of at most half its length, said again and again (the last piece may be cut off). */
function isPeriodic(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

/** Whether every number follows from the one before by the same step, around the end included. */
function isSequential(numbers: number[], modulus: number): boolean {
  const steps = new Set(numbers.slice(1).map((number, i) => (number - numbers[i]! + modulus) % modulus));
  return steps.size === 1;
}
