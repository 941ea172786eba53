/** The values that each key has in a plan, and the keys in which plans differ. Pure; reads no results. */
import { taskName } from '../spec/objective.js';
import type { Job, Plan } from '../spec/stages.js';
import { configurationOfJob, strengthsOf } from '../evidence/configuration.js';

/** Dotted key → its distinct values as text, in the order of the plan. */
export type KeyValues = ReadonlyMap<string, ReadonlySet<string>>;

export interface DifferingKey {
  key: string;
  /** The values in each plan, in the order of the plans; empty if a plan does not have the key. */
  values: readonly (readonly string[])[];
}

/** The keys in which the runs of one cell differ, or that tables have columns for, before all others. */
const AXES = ['objective', 'maskRatio', 'seed', 'evaluate'] as const;

/** The values of the axes and of every key of the stages' configurations. */
export function valuesOf({ jobs, stages }: Pick<Plan, 'jobs' | 'stages'>): KeyValues {
  const values = new Map<string, Set<string>>(AXES.map((key) => [key, new Set()]));
  const add = (key: string, value: string): void => {
    const known = values.get(key);
    if (known === undefined) values.set(key, new Set([value]));
    else known.add(value);
  };
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  for (const job of jobs) {
    for (const [key, value] of Object.entries(axesOf(job))) add(key, value);
    for (const name of Object.keys(job.evaluations)) add('evaluate', name);
    for (const [key, value] of strengthsOf(job.task, job.weights)) add(key, value);
    for (const [key, value] of configurationOfJob(job, (id) => byId.get(id))) add(key, value);
  }
  return values;
}

function axesOf({ task, weights, seed }: Job): Record<Exclude<(typeof AXES)[number], 'evaluate'>, string> {
  return { objective: taskName(task, weights), maskRatio: String(task?.maskRatio ?? 0), seed: String(seed) };
}

/** The keys whose values are not the same in all plans, the axes first. */
export function differingKeys(plans: readonly KeyValues[]): DifferingKey[] {
  const keys = [...new Set(plans.flatMap((values) => [...values.keys()]))];
  const axes: readonly string[] = AXES;
  const ordered = [...keys.filter((key) => axes.includes(key)), ...keys.filter((key) => !axes.includes(key)).sort()];
  return ordered
    .map((key) => ({ key, values: plans.map((values) => [...(values.get(key) ?? [])]) }))
    .filter(({ values }) => new Set(values.map((own) => own.toSorted().join('\n'))).size > 1);
}

/** Whether runs that differ in the key are different cells, and not runs of one cell. */
export const isSetting = ({ key }: DifferingKey): boolean => !(AXES as readonly string[]).includes(key);
