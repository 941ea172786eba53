/** Several plans of one sweep as one: the union of their stages and jobs. Pure. */
import { canonicalJson } from '../common/canonical.js';
import { addTo, groupBy } from '../common/group-by.js';
import { evaluationIds, type Cell, type Job, type Plan, transferMetricOf, type TransferMetrics } from './stages.js';

/**
 * The union of plans, in their order. Stages with one identity are one stage. Jobs with the same stages are one job,
 * with the cells of all; a job all of whose stages another job has is part of that job.
 *
 * The union of plans with different settings has the jobs of each setting: a stage's configuration shows its setting.
 *
 * @param plans At least one. Name, description and the rule of seeds are those of the last, and the metric of an evaluation
 *   is that of the last plan with this evaluation.
 */
export function unitePlans(plans: readonly Plan[]): Plan {
  const last = plans.at(-1);
  if (last === undefined) throw new Error('there is no union of no plans');
  if (plans.length === 1) return last;
  const compare = distinct(plans.flatMap((plan) => plan.compare ?? []));
  const metrics = uniteMetrics(plans);
  const { metrics: _, ...rest } = last;
  return {
    ...rest,
    ...(compare.length === 0 ? {} : { compare }),
    ...(Object.keys(metrics).length === 0 ? {} : { metrics }),
    jobs: uniteJobs(plans.flatMap(({ jobs }) => jobs)),
    stages: [...new Map(plans.flatMap(({ stages }) => stages).map((stage) => [stage.id, stage])).values()],
    leftOut: distinct(plans.flatMap(({ leftOut }) => leftOut)),
    ...(plans.some(({ selections }) => selections !== undefined)
      ? { selections: distinct(plans.flatMap(({ selections = [] }) => selections)) }
      : {}),
  };
}

function uniteMetrics(plans: readonly Plan[]): TransferMetrics {
  const united = new Map<string, string | undefined>();
  for (const { jobs, metrics } of plans) {
    const names = new Set(jobs.flatMap(({ evaluations }) => Object.keys(evaluations)));
    for (const name of names) united.set(name, transferMetricOf(metrics, name));
  }
  return Object.fromEntries([...united].flatMap(([name, key]) => (key === undefined ? [] : [[name, key]])));
}

/** The distinct jobs, in their order. */
function uniteJobs(jobs: readonly Job[]): Job[] {
  const same = [
    ...groupBy(jobs, ({ pretrain, evaluations, candidate }) =>
      canonicalJson([pretrain, evaluations, candidate ?? null]),
    ).values(),
  ];
  const merged = same.map(([first, ...others]) => withCells(first!, others));
  // A plan with further evaluations has the same runs, each with more stages.
  const holders = new Map<string, Job[]>();
  for (const job of merged) {
    for (const id of evaluationIds(job)) addTo(holders, id, job);
  }
  const wholeOf = (job: Job): Job => {
    const [first] = evaluationIds(job);
    const wholes = (holders.get(first ?? '') ?? [job]).filter((other) => isPartOf(job, other));
    return wholes.reduce((largest, other) => (stagesIn(other) > stagesIn(largest) ? other : largest), job);
  };
  const parts = new Map<Job, Job[]>();
  for (const job of merged) {
    const whole = wholeOf(job);
    if (whole !== job) addTo(parts, whole, job);
    else if (!parts.has(job)) parts.set(job, []);
  }
  return [...parts].map(([whole, own]) => withCells(whole, own));
}

const stagesIn = (job: Job): number => evaluationIds(job).length;

function isPartOf(part: Job, whole: Job): boolean {
  // The report of a candidate depends on the choice.
  if (canonicalJson(part.candidate ?? null) !== canonicalJson(whole.candidate ?? null)) return false;
  const stages = new Set(evaluationIds(whole));
  return evaluationIds(part).every((id) => stages.has(id));
}

function withCells(job: Job, others: readonly Job[]): Job {
  if (others.length === 0) return job;
  return { ...job, cells: distinct<Cell>([job, ...others].flatMap(({ cells }) => cells)) };
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [canonicalJson(item), item])).values()];
}
