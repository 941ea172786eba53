/**
 * Pre-training loss over epochs, a chart for each task: losses of different tasks count different things, so they share
 * no axis. What a prediction of zero scores on the same task is the dashed line.
 */
import type { Task } from '../../../spec/task.js';
import type { StageResult } from '../../../store/records.js';
import type { ReportData, StageRecord } from '../../collect.js';
import { configurationOf, strengthsOf, varyingKeys, type Configuration } from '../../../evidence/configuration.js';
import type { Figure, LineChart } from '../chart.js';
import { formatNumber } from '../numbers.js';
import { groupBy } from '../../../common/group-by.js';
import { taskTitle, titled } from './words.js';

interface Run {
  task: Task;
  seed: number;
  configuration: Configuration;
  result: Extract<StageResult, { kind: 'pretrain' }>;
}

/** None if nothing was pre-trained for at least two epochs. */
export function lossesFigure({ stages }: ReportData): Figure | null {
  const runs = [...stages.values()].flatMap(runOf);
  if (runs.length === 0) return null;
  const keys = varyingKeys(runs);
  const titles = new Map(
    [...groupBy(runs, nameOf)].flatMap(([name, members]) => [...groupBy(members, titlesOf(name, members, keys))]),
  );
  return {
    id: 'figure-losses',
    title: 'Pre-training loss',
    caption:
      'Mean training loss of each epoch, a line for each seed. Losses of different tasks count different pixels: ' +
      'compare shapes, not heights. Dashed: what a prediction of zero scores, mean over seeds.',
    charts: [...titles].map(([title, members]) => chartOf(title, members)),
  };
}

function runOf({ stage: { config, ...stage }, result }: StageRecord): Run[] {
  if (config.kind !== 'pretrain' || result?.kind !== 'pretrain' || result.losses.length < 2) return [];
  const configuration = configurationOf([{ config, ...stage }]);
  return [{ task: config.task, seed: config.seed, configuration, result }];
}

const nameOf = ({ task }: Run): string => taskTitle(task);

/** The name of a task with what differs between all runs, and those strengths that differ between its own. */
function titlesOf(name: string, runs: readonly Run[], keys: readonly string[]): (run: Run) => string {
  const strengths = varyingKeys(runs.map(({ task }) => ({ task, configuration: strengthsOf(task) })));
  return ({ task, configuration }) => {
    const own = strengthsOf(task);
    return titled(
      name,
      keys.map((key) => `${key}=${configuration.get(key) ?? 'unset'}`).join(' '),
      strengths.map((key) => `${key}=${own.get(key) ?? 'unset'}`).join(' '),
    );
  };
}

function chartOf(title: string, runs: readonly Run[]): LineChart {
  const zero = runs.reduce((sum, { result }) => sum + result.zeroLoss, 0) / runs.length;
  const ends = runs.map(({ seed, result }) => `seed ${seed} ${formatNumber(result.loss, 4)}`);
  return {
    kind: 'lines',
    title,
    description: `Loss of the last epoch: ${ends.join('; ')}. A prediction of zero: ${formatNumber(zero, 4)}.`,
    x: { title: 'epoch', whole: true },
    y: { title: 'loss' },
    series: runs.map(({ result }) => ({
      name: null,
      style: 0,
      points: result.losses.map((y, i) => ({ x: i + 1, y, spread: null })),
    })),
    reference: { value: zero, label: `a prediction of zero: ${formatNumber(zero, 4)}` },
    marks: false,
  };
}
