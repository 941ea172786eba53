/**
 * Several looks at growing data. An interval that is read again and again misses the truth more often than one that is
 * read once, so each look gets a lower error rate, such that all intervals together hold the truth as often as is
 * claimed: repeated confidence intervals (Jennison and Turnbull 1989). Rates are proportional to the number of values.
 * With equal rates (Pocock 1977) most of the error is spent on the first looks, whose few values decide little.
 *
 * The rates are calibrated by simulation of Student's statistics. Textbook boundaries are those of normal statistics,
 * and too low for few values.
 */
import { gamma, stream } from '../common/random.js';
import { centralStudent, studentTail } from './student.js';

/** The number of simulated sequences, and the most if the error rate is small. */
const SEQUENCES = 400_000;
const MOST_SEQUENCES = 1_600_000;

/** Sequences beyond the rate: so many are simulated if possible; fewer would not be precise enough. */
const ENOUGH = 2000;
const TOO_FEW = 400;

/**
 * The two-sided error rate of each look, such that with probability `1 − total` no look's interval of Student misses
 * the mean of independent normal values.
 *
 * @param looks Numbers of values at each look, at least 2 and ascending.
 * @param total Error rate over all looks, in (0, 1).
 * @returns rates proportional to the looks, whose sum is at least `total`; the same on every call.
 */
export function errorRates(looks: readonly number[], total: number): readonly number[] {
  const key = `${looks.join()} ${total}`;
  let rates = known.get(key);
  if (rates === undefined) {
    const last = looks.length === 1 ? total : rateOfLast(looks, total);
    known.set(key, (rates = weightsOf(looks).map((weight) => weight * last)));
  }
  return rates;
}

/** The simulation takes a part of a second, and the same rates are needed again and again. */
const known = new Map<string, readonly number[]>();

const weightsOf = (looks: readonly number[]): number[] => looks.map((n) => n / looks.at(-1)!);

function rateOfLast(looks: readonly number[], total: number): number {
  const bonferroni = total / weightsOf(looks).reduce((sum, weight) => sum + weight, 0);
  const sequences = Math.min(MOST_SEQUENCES, Math.max(SEQUENCES, Math.ceil(ENOUGH / total)));
  const expected = sequences * total;
  if (expected < TOO_FEW) return bonferroni; // valid for any dependence between the looks
  const smallest = smallestPs(looks, total, sequences).sort();
  // One standard error of the simulation fewer: its chance must not raise the error rate.
  const place = Math.floor(expected - Math.sqrt(expected));
  return Math.max(bonferroni, smallest[place - 1]!);
}

/**
 * The smallest weighted p value over the looks (p divided by the weight of the look) of each simulated sequence without
 * an effect. Values above `limit` are left out.
 */
function smallestPs(looks: readonly number[], limit: number, sequences: number): Float64Array {
  const random = stream(0, 'statistics', 'looks', looks.join());
  const weights = weightsOf(looks);
  // Only values of t² beyond these need a p value.
  const critical = looks.map((n, look) => centralStudent(1 - limit * weights[look]!, n - 1) ** 2);
  const added = looks.map((n, look) => n - (looks[look - 1] ?? 0));
  const found: number[] = [];
  for (let i = 0; i < sequences; i++) {
    let smallest = Infinity;
    let [sum, squares] = [0, 0];
    for (let look = 0; look < looks.length; look++) {
      const [n, more] = [looks[look]!, added[look]!];
      // The sum of the new values, and their squared deviations from their mean: independent, normal and χ².
      const own = random.normal(0, Math.sqrt(more));
      const within = more === 1 ? 0 : 2 * gamma((more - 1) / 2, random);
      sum += own;
      squares += within + (own * own) / more;
      const mean = sum / n;
      const t2 = (mean * mean * n * (n - 1)) / (squares - sum * mean);
      if (t2 >= critical[look]!) smallest = Math.min(smallest, studentTail(Math.sqrt(t2), n - 1) / weights[look]!);
    }
    if (smallest <= limit) found.push(smallest);
  }
  return Float64Array.from(found);
}
