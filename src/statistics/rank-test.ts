/**
 * The permutation test of a rank correlation: without one, every order of one side is as likely as the observed one.
 */
import { permutation, type Random } from '../common/random.js';
import { ranks } from './summary.js';

export type RankCorrelation = 'spearman' | 'kendall';

/** Up to here all orders are gone through: 362,880. */
const ENUMERATED = 9;
const DRAWN = 10_000;

/**
 * Two-sided p value of a rank correlation: the share of orders whose correlation is at least as far from zero. Exact up
 * to nine pairs, with ties too; drawn beyond.
 *
 * @param random Draws the orders if there are more than nine pairs.
 * @returns in (0, 1]; 1 if all values of a side are equal.
 */
export function rankTest(
  pairs: readonly (readonly [number, number])[],
  correlation: RankCorrelation,
  random: Random,
): number {
  const score = SCORES[correlation](pairs);
  const order = pairs.map((_, i) => i);
  // Sums in another order differ in their last bits; scores are multiples of a quarter.
  const observed = Math.abs(score(order)) - 1e-6;
  let [extreme, tried] = [0, 0];
  const count = (each: ArrayLike<number>): void => {
    tried += 1;
    if (Math.abs(score(each)) >= observed) extreme += 1;
  };
  if (pairs.length <= ENUMERATED) forEachOrder(order, count);
  else {
    // The observed order counts among those drawn, or p could be zero.
    count(order);
    for (let draw = 0; draw < DRAWN; draw++) count(permutation(pairs.length, random));
  }
  return extreme / tried;
}

/** What a correlation is proportional to, of the pairs (first i, second order[i]). */
type Score = (order: ArrayLike<number>) => number;

const SCORES: Record<RankCorrelation, (pairs: readonly (readonly [number, number])[]) => Score> = {
  spearman(pairs) {
    const [a, b] = [centredRanks(pairs.map(([x]) => x)), centredRanks(pairs.map(([, y]) => y))];
    return (order) => {
      let sum = 0;
      for (let i = 0; i < a.length; i++) sum += a[i]! * b[order[i]!]!;
      return sum;
    };
  },
  kendall(pairs) {
    const [a, b] = [signs(pairs.map(([x]) => x)), signs(pairs.map(([, y]) => y))];
    return (order) => {
      let sum = 0;
      for (let i = 1; i < a.length; i++) {
        const [own, other] = [a[i]!, b[order[i]!]!];
        for (let j = 0; j < i; j++) sum += own[j]! * other[order[j]!]!;
      }
      return sum;
    };
  },
};

function centredRanks(values: readonly number[]): number[] {
  return ranks(values).map((rank) => rank - (values.length + 1) / 2);
}

const signs = (values: readonly number[]): number[][] =>
  values.map((value) => values.map((other) => Math.sign(value - other)));

/** Every order, by Heap's algorithm; the list is changed in place. */
function forEachOrder(order: number[], visit: (order: readonly number[]) => void): void {
  const counters = order.map(() => 0);
  visit(order);
  for (let i = 1; i < order.length;) {
    if (counters[i]! >= i) {
      counters[i] = 0;
      i += 1;
      continue;
    }
    const j = i % 2 === 0 ? 0 : counters[i]!;
    [order[i], order[j]] = [order[j]!, order[i]!];
    visit(order);
    counters[i]! += 1;
    i = 1;
  }
}
