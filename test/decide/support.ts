/** A small sweep whose seeds depend on results, and accuracies that decide it early, late or never. */
import { leaveResult, planOf } from '../runner/support.js';
import type { Job, Plan, Stage } from '../../src/spec/stages.js';
import { writeJson } from '../../src/store/files.js';
import type { SweepPaths } from '../../src/store/layout.js';

/** Two objectives that are compared, looks at 2, 3 and 4 seeds. */
export const COMPARED = planOf(`
job: {evaluate: [knn]}
grid: {objective: [scratch, zoomed-in]}
compare: [[zoomed-in, scratch]]
seeds: {looks: [2, 3, 4], smallest: 1}`);

/** Small differences between seeds: of a paired difference ±0.01, so that a point is found at once. */
const NOISE = [0.01, -0.01, 0.02, -0.02];

/** With which an accuracy of zoomed-in is decided at the first look. */
export const CLEAR = (objective: string, seed: number): number =>
  50 + 7 * seed + (objective === 'zoomed-in' ? 10 + NOISE[seed]! : 0);

/** Differences that are neither clear nor small at any look. */
export const UNCLEAR = (objective: string, seed: number): number =>
  50 + (objective === 'zoomed-in' ? [5, -5, 3, -1][seed]! : 0);

/** No difference, to a hundredth of a point. */
export const EQUAL = (objective: string, seed: number): number =>
  50 + 7 * seed + (objective === 'zoomed-in' ? NOISE[seed]! : 0);

export function jobOf(plan: Plan, { id }: Stage): Job {
  return plan.jobs.find(({ pretrain, evaluations }) => [pretrain, ...Object.values(evaluations)].includes(id))!;
}

export const objectiveOf = (plan: Plan, stage: Stage): string => jobOf(plan, stage).cells[0]!.objective;

/** Leaves the results of all stages of the first seeds. */
export async function leaveSeeds(
  plan: Plan,
  paths: SweepPaths,
  seeds: number,
  accuracy: (objective: string, seed: number) => number,
): Promise<void> {
  for (const stage of plan.stages.filter(({ config }) => config.seed < seeds)) {
    const own = paths.stage(stage.id);
    writeJson(own.stage, stage);
    await leaveResult(stage, own, { accuracy: accuracy(objectiveOf(plan, stage), stage.config.seed) });
  }
}
