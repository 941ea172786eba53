/** The plans of a results folder, in a line each. */
import { differingKeys, valuesOf } from '../report/plan-values.js';
import { isDone, type StageStatus } from '../runner/status.js';
import { sweepPaths } from '../store/layout.js';
import type { ChosenPlans, KeptPlan } from '../store/plans.js';
import { workingSweeps } from '../store/sweeps.js';

/** A plan that a folder keeps. */
export interface ListedPlan {
  id: string;
  /** When a sweep last started with it; null: not recorded. */
  startedAt: string | null;
  /** Whether the command is about this plan. */
  chosen: boolean;
  /** For the chosen plans, without the stages that are not needed. */
  stages: number;
  done: number;
  /** Sweeps that work on it. */
  sweeps: number;
  /** The keys in which it differs from other plans, with its values. */
  differs: { key: string; values: readonly string[] }[];
}

/**
 * The plans of a folder, the newest first.
 *
 * @param shown The status of each stage of the chosen plans.
 */
export function listedPlans(
  { plans, chosen }: Pick<ChosenPlans, 'plans' | 'chosen'>,
  folder: string,
  shown: readonly StageStatus[],
): ListedPlan[] {
  const paths = sweepPaths(folder);
  const unneeded = new Set(shown.flatMap(({ stage, status }) => (status === 'unneeded' ? [stage.id] : [])));
  const done = new Map(shown.map(({ stage, status }) => [stage.id, status === 'done']));
  const countDone = ({ plan: { stages } }: KeptPlan): number =>
    stages.filter((stage) => {
      const known = done.get(stage.id) ?? isDone(stage, paths.stage(stage.id));
      done.set(stage.id, known);
      return known;
    }).length;
  const working = workingSweeps(paths);
  const keys = plans.length < 2 ? [] : differingKeys(plans.map(({ plan }) => valuesOf(plan)));
  return plans.map((kept, place) => ({
    id: kept.id,
    startedAt: kept.startedAt,
    chosen: chosen.includes(kept),
    stages: kept.plan.stages.filter(({ id }) => !unneeded.has(id)).length,
    done: countDone(kept),
    sweeps: working.filter(({ owner }) => owner?.plan === kept.id).length,
    differs: keys.map(({ key, values }) => ({ key, values: values[place]! })),
  }));
}

/** As lines for people; none for the only plan of a folder. */
export function describeListed(plans: readonly ListedPlan[]): string[] {
  if (plans.length < 2) return [];
  const digits = String(Math.max(...plans.map(({ stages }) => stages))).length;
  const lines = plans.map(({ id, startedAt, chosen, stages, done, sweeps, differs }) =>
    [
      `${chosen ? '*' : ' '} ${id}`,
      (startedAt?.slice(0, 16).replace('T', ' ') ?? '').padEnd(16),
      `${String(done).padStart(digits)} of ${String(stages).padStart(digits)} done`,
      ...(sweeps === 0 ? [] : [sweeps === 1 ? 'a sweep works on it' : `${sweeps} sweeps work on it`]),
      describeDiffering(differs),
    ]
      .join('  ')
      .trimEnd(),
  );
  return ['', 'Plans, the newest first, with the time in UTC (* shown here)', ...lines];
}

/** Of more keys, or values of a key, the first ones are named. */
const MOST_KEYS = 3;
const MOST_VALUES = 4;

/** `seed 0, 1; pretrain.epochs 20`. */
function describeDiffering(differs: ListedPlan['differs']): string {
  const named = differs.slice(0, MOST_KEYS).map(({ key, values }) => {
    const more = values.length > MOST_VALUES ? `, … (${values.length} values)` : '';
    return `${key} ${values.length === 0 ? 'unset' : values.slice(0, MOST_VALUES).join(', ')}${more}`;
  });
  const rest = differs.length - MOST_KEYS;
  return [...named, ...(rest > 0 ? [`${rest} more keys`] : [])].join('; ');
}
