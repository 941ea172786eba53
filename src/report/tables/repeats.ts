/** Every value of the evaluations that are repeated, one row each, for the reader's own analysis. */
import { describeCell } from '../../spec/cells.js';
import { taskName } from '../../spec/objective.js';
import { repeatsOf } from '../../spec/stages.js';
import { numberIn } from '../../stages/fields.js';
import { stageProblem } from '../../evidence/health.js';
import { metricsIn } from '../../evidence/metric.js';
import type { BuildTable, Column } from '../table.js';

const COLUMNS: Column[] = [
  { key: 'objective', label: 'objective', description: 'The parts of the task joined, without the mask ratio.' },
  { key: 'cells', label: 'cells', description: 'Every cell of the sweep that resolves to this job.' },
  { key: 'seed', label: 'seed', description: 'Root of every random stream of the pre-training.', digits: 0 },
  { key: 'metric', label: 'metric', description: 'As in --metric.' },
  { key: 'repeat', label: 'repeat', description: 'From 1; the first one has the seed of the pre-training.', digits: 0 },
  { key: 'value', label: 'value', description: 'The value of the metric in its own unit; empty if it is missing.' },
  { key: 'unhealthy', label: 'unhealthy', description: 'Why its training did not work; empty if it worked.' },
  { key: 'stage', label: 'stage', description: 'Identity of the stage: its folder below stages/.' },
];

export const repeatsTable: BuildTable = (data) => {
  const metrics = metricsIn(data).filter(({ repeats }) => repeats > 1);
  if (metrics.length === 0) return null;
  return {
    title: 'Repeats',
    caption: 'Every repeat of the evaluations that are repeated, with every metric.',
    columns: COLUMNS,
    rows: data.jobs.flatMap((job) =>
      metrics.flatMap(({ name, entry, key }) =>
        repeatsOf(job, entry).map((id, index) => {
          const record = data.stages.get(id)!;
          return {
            objective: taskName(job.task),
            cells: job.cells.map(describeCell).join('; '),
            seed: job.seed,
            metric: name,
            repeat: index + 1,
            value: record.result === null ? null : numberIn(record.result, key),
            unhealthy: stageProblem(record),
            stage: id,
          };
        }),
      ),
    ),
    summary: {},
  };
};
