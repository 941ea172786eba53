/** The nearest of the valid names, for "did you mean …?". Only the spelling is compared. */

/**
 * Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (Damerau–Levenshtein,
 * each piece of text edited at most once).
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforePrevious[j - 2]! + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/** Case and separators are ignored: `mask_ratio` equals `maskRatio`, `Zoomed In` equals `zoomed-in`. */
const plain = (word: string): string => word.toLowerCase().replace(/[-_.\s]/g, '');

/** The choice nearest to `word`; undefined if the distance to each is more than a third of the longer word's length. */
export function nearest(word: string, choices: Iterable<string>): string | undefined {
  const target = plain(word);
  let found: { choice: string; distance: number } | undefined;
  for (const choice of choices) {
    const candidate = plain(choice);
    const longer = Math.max(target.length, candidate.length);
    // The difference in length is a lower bound of the distance, so the table is not computed for very long words.
    if (3 * Math.abs(target.length - candidate.length) > longer) continue;
    const distance = editDistance(target, candidate);
    if (3 * distance <= longer && distance < (found?.distance ?? Infinity)) found = { choice, distance };
  }
  return found?.choice;
}

/** `; did you mean "masked"?`, or an empty string if no choice is near. */
export function didYouMean(word: string, choices: Iterable<string>): string {
  const choice = nearest(word, choices);
  return choice === undefined ? '' : `; did you mean "${choice}"?`;
}
