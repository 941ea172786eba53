/** Columns with estimated differences between cells, and their values. */
import { stream } from '../../common/random.js';
import type { Estimate } from '../../evidence/contrasts.js';
import { signFlipTest } from '../../statistics/sign-flip.js';
import type { Column, Row } from '../table.js';

/** @param label Heading of the difference in pages. */
export function estimateColumns(label: string): Column[] {
  return [
    {
      key: 'difference',
      label,
      description: 'Mean difference, paired by seed; positive if the degraded level is better.',
      measures: 'difference',
    },
    {
      key: 'ci_low',
      label: '95 % from',
      description: "Student's 95 % confidence interval over the seeds, its lower end.",
      measures: 'difference',
    },
    { key: 'ci_high', label: 'to', description: 'Its upper end.', measures: 'difference' },
    { key: 'difference_n', label: 'pairs', description: 'Seeds of both.', digits: 0, aside: 2 },
    {
      key: 'p_sign_flip',
      label: 'p',
      description: 'Exact sign-flip test over the seeds; never below 2 / 2ⁿ, .25 for three.',
      digits: 3,
    },
  ];
}

/**
 * @param found null: the row is the reference.
 * @param name The name of the random stream for the signs, which are drawn if there are many seeds.
 */
export function estimateCells(found: Estimate | null, name: string): Row {
  return {
    difference: found?.mean ?? null,
    ci_low: found?.interval?.[0] ?? null,
    ci_high: found?.interval?.[1] ?? null,
    difference_n: found?.n ?? null,
    p_sign_flip: found === null ? null : signFlipTest(found.bySeed, stream(0, 'report', 'signs of seeds', name)),
  };
}
