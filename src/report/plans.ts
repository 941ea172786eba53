/** The sentences of a report about its plans: how many, how they differ, and what other plans contain beyond them. */
import { describeRest } from '../store/plans.js';
import type { ReportData, SweepInfo } from './collect.js';

/**
 * Whole sentences; none for the only plan of a folder.
 *
 * @param toInclude How to include what is left out.
 */
export function describePlans({ sweeps }: Pick<ReportData, 'sweeps'>, toInclude?: string): string[] {
  return sweeps.flatMap(({ folder, plans, settings, rest }) => [
    ...(plans.length < 2 ? [] : [describeUnion(folder, plans.length, settings)]),
    ...(rest.stages === 0 ? [] : [`${describeRest(rest, folder, toInclude)!}.`]),
  ]);
}

/** Of more keys than this, the first ones are named. */
const MOST_NAMED = 5;

function describeUnion(folder: string, plans: number, settings: SweepInfo['settings']): string {
  const union = `This is the union of the ${plans} plans in ${folder}.`;
  if (settings.length === 0) return union;
  const more = settings.length > MOST_NAMED ? ` and ${settings.length - MOST_NAMED} more keys` : '';
  return (
    `${union} They differ in ${settings.slice(0, MOST_NAMED).join(', ')}${more}: ` +
    'runs with different values are different settings, and no mean is of both.'
  );
}
