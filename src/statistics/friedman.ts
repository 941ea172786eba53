/**
 * Friedman's test that treatments differ over blocks, by the ranks of the treatments within each block, and Nemenyi's
 * test of which ones differ.
 */
import { permutation, type Random } from '../common/random.js';
import { ranks } from './summary.js';

export interface Friedman {
  /** Friedman's χ², corrected for ties. */
  statistic: number;
  /** Of the permutation test: without an effect, every order within a block is as likely. In (0, 1]. */
  p: number;
  /**
   * Nemenyi's test of each treatment against the one with the lowest rank sum: how often the largest difference of any
   * two rank sums is at least theirs, over the same orders. So the probability of any wrong verdict among all pairs
   * holds. In (0, 1]; 1 for the lowest itself.
   */
  behindBest: readonly number[];
}

/** Up to here all orders are gone through. */
const ENUMERATED = 50_000;
const DRAWN = 10_000;

/**
 * Tests whether the rows have the same distribution within every block. The p value is from a permutation test, since
 * χ² is a poor approximation for the few blocks that a study has.
 *
 * @param blocks Each with a value of every treatment, in one order; at least two treatments and two blocks.
 * @param random Draws the orders if there are too many to count.
 * @returns null if all values of every block are equal.
 */
export function friedmanTest(blocks: readonly (readonly number[])[], random: Random): Friedman | null {
  const ranked = blocks.map(ranks);
  const treatments = ranked[0]!.length;
  const scale = scaleOf(ranked, treatments);
  if (scale === 0) return null;
  const sumsOf = (orders: readonly ArrayLike<number>[]): number[] =>
    Array.from({ length: treatments }, (_, j) =>
      orders.reduce((total, order, block) => total + ranked[block]![order[j]!]!, 0),
    );
  const mean = (blocks.length * (treatments + 1)) / 2;
  const statisticOf = (sums: readonly number[]): number =>
    sums.reduce((total, own) => total + (own - mean) ** 2, 0) / scale;
  const identity = Array.from({ length: treatments }, (_, j) => j);
  const sums = sumsOf(blocks.map(() => identity));
  const observed = statisticOf(sums);
  const lowest = Math.min(...sums);
  const behind = sums.map((sum) => ({ difference: sum - lowest, reached: 0 }));
  let [extreme, tried] = [0, 0];
  const count = (orders: readonly ArrayLike<number>[]): void => {
    tried += 1;
    const own = sumsOf(orders);
    if (statisticOf(own) >= observed - 1e-9) extreme += 1;
    const range = Math.max(...own) - Math.min(...own);
    for (const each of behind) if (range >= each.difference - 1e-9) each.reached += 1;
  };
  // The first block may keep its order: only the order of the others beside it counts.
  const all = ordersOf(identity);
  if (all !== null && all.length ** (blocks.length - 1) <= ENUMERATED) {
    forEachChoice(all, blocks.length - 1, (others) => {
      count([identity, ...others]);
    });
  } else {
    // The observed order counts among those drawn, or p could be zero.
    count(blocks.map(() => identity));
    for (let draw = 0; draw < DRAWN; draw++) count(blocks.map(() => permutation(treatments, random)));
  }
  return { statistic: observed, p: extreme / tried, behindBest: behind.map(({ reached }) => reached / tried) };
}

/** Σ over blocks of the variance of its ranks, divided so that the statistic is SciPy's, ties included. */
function scaleOf(ranked: readonly (readonly number[])[], treatments: number): number {
  const middle = (treatments + 1) / 2;
  const squares = ranked.flat().reduce((total, rank) => total + (rank - middle) ** 2, 0);
  return squares / (treatments - 1);
}

/** Every order of up to eight items; null for more. */
function ordersOf(items: readonly number[]): number[][] | null {
  if (items.length > 8) return null;
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first) => ordersOf(items.filter((item) => item !== first))!.map((rest) => [first, ...rest]));
}

/** Every choice of so many of the options, with repetition. */
function forEachChoice<T>(options: readonly T[], count: number, visit: (chosen: readonly T[]) => void): void {
  const chosen: T[] = [];
  const choose = (): void => {
    if (chosen.length === count) {
      visit(chosen);
      return;
    }
    for (const option of options) {
      chosen.push(option);
      choose();
      chosen.pop();
    }
  };
  choose();
}
