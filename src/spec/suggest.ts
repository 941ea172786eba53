/** The nearest name among the valid ones, for "did you mean …?". Compares spellings only. */

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

/** Case and joints do not count: `mask_ratio` is `maskRatio`, `Zoomed In` is `zoomed-in`. */
const plain = (word: string): string => word.toLowerCase().replace(/[-_.\s]/g, '');

/** The choice nearest to `word`, or undefined when none is within a third of the longer one's letters. */
export function nearest(word: string, choices: Iterable<string>): string | undefined {
  const target = plain(word);
  let found: { choice: string; distance: number } | undefined;
  for (const choice of choices) {
    const candidate = plain(choice);
    const longer = Math.max(target.length, candidate.length);
    // The lengths alone bound the distance from below, which spares absurdly long words the table.
    if (3 * Math.abs(target.length - candidate.length) > longer) continue;
    const distance = editDistance(target, candidate);
    if (3 * distance <= longer && distance < (found?.distance ?? Infinity)) found = { choice, distance };
  }
  return found?.choice;
}

/** `; did you mean "masked"?`, or nothing when no choice is near. */
export function didYouMean(word: string, choices: Iterable<string>): string {
  const choice = nearest(word, choices);
  return choice === undefined ? '' : `; did you mean "${choice}"?`;
}
