/** Words that carry no physics; as units some of them would be read as inches or attoseconds. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a an and are as at be by compute calculate calculated did do does find for from get give given has have how i if in into is it its
   me much my of on or per please result results s so than that the then there this to under using value values was we what when
   where which while will with`.split(/\s+/),
);

/** The words of a text as they are compared: lower case, without stop words and numbers, a plural `s` cut off. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}_]+/u)
    .filter((word) => word.length > 1 && !STOP_WORDS.has(word) && !/^\d/.test(word))
    .map(stem);
}

const stem = (word: string): string =>
  word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
