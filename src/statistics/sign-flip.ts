/** The permutation test of paired differences: were there no effect, each could as well have had the other sign. */
import type { Random } from '../common/random.js';

const DRAWN = 10_000;

/** Up to here every one of the 2^n sign patterns is gone through: 16,384. */
const ENUMERATED = 14;

/**
 * Two-sided sign-flip test that the mean of independent differences is zero. Exact up to 14 differences, drawn beyond.
 * No p is below 2 / 2^n: .25 for three.
 *
 * @param random Draws the signs if there are more than 14 differences.
 * @returns the p-value; null without differences.
 */
export function signFlipTest(differences: readonly number[], random: Random): number | null {
  const n = differences.length;
  if (n === 0) return null;
  const sizes = differences.map(Math.abs);
  const total = sizes.reduce((a, b) => a + b, 0);
  // Sums of other orders differ in their last bits from one that is equal to them.
  const observed = Math.abs(differences.reduce((a, b) => a + b, 0)) - 1e-12 * total;
  let extreme = 0;
  if (n <= ENUMERATED) {
    for (let pattern = 0; pattern < 2 ** n; pattern++) {
      const sum = sizes.reduce((so, size, i) => so + ((pattern >> i) & 1 ? size : -size), 0);
      if (Math.abs(sum) >= observed) extreme += 1;
    }
    return extreme / 2 ** n;
  }
  for (let draw = 0; draw < DRAWN; draw++) {
    let sum = 0;
    let bits = 0;
    for (let i = 0; i < n; i++) {
      // A word has the signs of 32.
      bits = i % 32 === 0 ? random.uint32() : bits >>> 1;
      sum += bits & 1 ? sizes[i]! : -sizes[i]!;
    }
    if (Math.abs(sum) >= observed) extreme += 1;
  }
  // The pattern that was observed counts among those drawn, or p could be zero.
  return (extreme + 1) / (DRAWN + 1);
}
