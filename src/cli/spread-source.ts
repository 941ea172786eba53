/** The earlier results from which the variance of the runs of a plan is estimated. */
import { UsageError } from '../common/errors.js';
import { collect } from '../report/collect.js';
import { describeLacks, spreadsOf } from '../report/power/collect.js';
import { KEPT_RESULTS, KEPT_SPREADS } from '../report/power/kept.js';
import type { SpreadSource } from '../report/power/resolution.js';
import { sweepPaths } from '../store/layout.js';
import { listPlans } from '../store/plans.js';

/** The spreads of the kept results. */
export const KEPT: SpreadSource = { name: KEPT_RESULTS, spreads: KEPT_SPREADS, foreign: true };

/**
 * The results of `asked`; else those in the sweep's own folder, if two seeds of a cell are there; else the kept results.
 *
 * @param own The sweep's results folder, which may not exist.
 * @param asked Of `--spread`.
 * @throws UsageError if `asked` is no results folder, or has no spread.
 */
export function spreadSourceOf(own: string, asked: string | undefined): SpreadSource {
  if (asked !== undefined) {
    const { spreads, lacks } = spreadsOf(collect([asked], 'all'));
    if (spreads.size === 0) throw new UsageError(noSpread(asked, lacks));
    return { name: asked, spreads, foreign: true };
  }
  if (listPlans(sweepPaths(own)).plans.length === 0) return KEPT;
  const { spreads } = spreadsOf(collect([own], 'all'));
  return spreads.size === 0 ? KEPT : { name: own, spreads, foreign: false };
}

/** Why a folder has no spread of any metric, with the remedy. */
export function noSpread(folder: string, lacks: ReturnType<typeof spreadsOf>['lacks']): string {
  const why = lacks.size === 0 ? ['no job of it has an evaluation'] : describeLacks(lacks);
  return `${folder} has no spread: ${why.join('; ')}; run a few cells with two seeds or more, such as --set grid.seed=[0,1,2]`;
}
