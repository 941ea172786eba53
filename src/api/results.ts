/** The results of sweeps as typed rows. */
import { runProblem } from '../evidence/health.js';
import { collect, type ReportData, type ReportJob } from '../report/collect.js';
import { taskName } from '../spec/objective.js';
import { repeatsOf } from '../spec/stages.js';
import { numberIn } from '../stages/fields.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import { firstMetricOf } from '../stages/metrics.js';
import type { ReadResultsOptions, ResultRow, SweepResults } from './types.js';

/**
 * Reads the results of one sweep: a row for each run of each evaluation that has a result. Results that the report would not
 * use, such as damaged ones, are missing here too.
 *
 * @param folders A results folder, or several with parts of one sweep.
 * @throws UsageError if a folder has no plan, or the folders do not fit together.
 */
export function readResults(folders: string | readonly string[], options: ReadResultsOptions = {}): SweepResults {
  const data = collect(typeof folders === 'string' ? [folders] : folders, options.plan);
  return {
    rows: data.jobs.flatMap((job) => Object.keys(job.evaluations).flatMap((name) => rowsOf(job, name, data))),
    missing: data.missing.map(({ stage, entry, why }) => ({ stage: stage.id, entry, why })),
  };
}

function rowsOf(job: ReportJob, evaluation: string, { stages }: ReportData): ResultRow[] {
  const { sweep, task, weights, seed, cells, pretrain } = job;
  return repeatsOf(job, evaluation).flatMap((id, index): ResultRow[] => {
    const record = stages.get(id)!;
    const { result } = record;
    if (result === null) return [];
    const { metrics, columns } = STAGE_ENTRIES[result.kind];
    const first = firstMetricOf(result.kind);
    const pick = (keys: readonly string[]): Record<string, number | null> =>
      Object.fromEntries(keys.map((key) => [key, numberIn(result, key)]));
    return [
      {
        sweep,
        objective: taskName(task, weights),
        maskRatio: task?.maskRatio ?? null,
        misalignment: task?.geometry.kind ?? null,
        style: task?.style.kind ?? null,
        seed,
        cells,
        evaluation,
        protocol: result.kind,
        repeat: index + 1,
        metric: first?.key ?? '',
        value: first === null ? null : numberIn(result, first.key),
        unit: first?.metric.unit?.symbol ?? null,
        metrics: pick(Object.keys(metrics)),
        numbers: pick(Object.keys(columns).filter((key) => !(key in metrics))),
        unhealthy: runProblem(record, pretrain === null ? undefined : stages.get(pretrain)),
        stage: id,
        pretrain,
      },
    ];
  });
}
