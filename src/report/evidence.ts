/** What was measured of the cell that a stage belongs to: its own number, and the mean over the cell's seeds. */
import { EVALUATION_ENTRIES, type Evaluation } from '../stages/index.js';
import { metricNamed, type NamedMetric } from '../stages/metrics.js';
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
  const job = data.jobs.find(({ pretrain, evaluations }) => pretrain === id || Object.values(evaluations).includes(id));
  if (job === undefined) return [];
  const names = Object.keys(job.evaluations) as Evaluation[];
  return names
    .filter((name) => job.pretrain === id || job.evaluations[name] === id)
    .filter((name) => Object.keys(EVALUATION_ENTRIES[name].metrics).length > 0)
    .map((name) => measured(data, job, name));
}

function measured(data: ReportData, job: ReportJob, evaluation: Evaluation): Evidence {
  const stages = [job.pretrain, job.evaluations[evaluation]!].flatMap((id) =>
    id === null ? [] : [data.stages.get(id)!.stage],
  );
  // Equal configurations and strengths are the same objects.
  const [configuration, strengths] = [configurationOf(stages), strengthsOf(job.task, job.weights)];
  const nameOf = (task: ReportJob['task'], weights?: string): string =>
    `${taskName(task, weights)} ${task?.maskRatio ?? ''}`;
  const cell = measurementsOf(data, evaluation).filter(
    (other) =>
      other.configuration === configuration &&
      other.strengths === strengths &&
      nameOf(other.task, other.weights) === nameOf(job.task, job.weights),
  );
  const own = cell.find(({ seed }) => seed === job.seed);
  return {
    metric: metricNamed(evaluation),
    own: own?.accuracy ?? null,
    unhealthy: own?.unhealthy ?? null,
    seeds: summaryStatistics(cell.flatMap(({ accuracy }) => accuracy ?? [])),
  };
}
