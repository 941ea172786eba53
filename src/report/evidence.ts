/** The measurements of the cell of a stage: its own number, and the mean over the seeds of the cell. */
import { repeatsOf, stageIds } from '../spec/stages.js';
import { metricsOf, type NamedMetric } from '../stages/metrics.js';
import type { ReportData, ReportJob } from './collect.js';
import { measurementsOf } from '../evidence/measurements.js';
import { configurationOf, strengthsOf } from '../evidence/configuration.js';
import { summaryStatistics, type Summary } from '../statistics/summary.js';
import { taskName } from '../spec/objective.js';

export interface Evidence {
  metric: NamedMetric;
  /** Of the job of this stage; null: missing, or unhealthy. */
  own: number | null;
  /** Why its own number does not count, as a clause; null: it does, or it is missing. */
  unhealthy: string | null;
  /** Over the seeds of the cell. */
  seeds: Summary;
}

/**
 * The metrics of the jobs that a stage is part of. For an evaluation, only its own.
 *
 * @param id Identity of the stage.
 */
export function evidenceOf(data: ReportData, id: string): Evidence[] {
  const job = data.jobs.find((each) => stageIds(each).includes(id));
  if (job === undefined) return [];
  return Object.keys(job.evaluations)
    .filter((name) => job.pretrain === id || repeatsOf(job, name).includes(id))
    .flatMap((name) => measured(data, job, name));
}

/** The first metric of an evaluation; empty: it has none. */
function measured(data: ReportData, job: ReportJob, entry: string): Evidence[] {
  const evaluation = data.stages.get(repeatsOf(job, entry)[0]!)!.stage;
  const before = job.pretrain === null ? [] : [data.stages.get(job.pretrain)!.stage];
  const { kind } = evaluation.config;
  const metric = kind === 'pretrain' ? undefined : metricsOf(entry, kind)[0];
  if (metric === undefined) return [];
  // Equal configurations and strengths are the same objects.
  const [configuration, strengths] = [configurationOf([...before, evaluation]), strengthsOf(job.task, job.weights)];
  const nameOf = (task: ReportJob['task'], weights?: string): string =>
    `${taskName(task, weights)} ${task?.maskRatio ?? ''}`;
  const cell = measurementsOf(data, metric).filter(
    (other) =>
      other.configuration === configuration &&
      other.strengths === strengths &&
      nameOf(other.task, other.weights) === nameOf(job.task, job.weights),
  );
  const own = cell.find(({ seed }) => seed === job.seed);
  const seeds = summaryStatistics(cell.flatMap(({ accuracy }) => accuracy ?? []));
  return [{ metric, own: own?.accuracy ?? null, unhealthy: own?.unhealthy ?? null, seeds }];
}
