/** One row for each job with every key that varies and every number, for anyone's own analysis. */
import { describeCell } from '../../spec/cells.js';
import { taskName } from '../../spec/objective.js';
import type { Stage, StageKind } from '../../spec/stages.js';
import type { StageResult } from '../../store/records.js';
import type { ReportData, ReportJob, StageRecord } from '../collect.js';
import { configurationOf, strengthsOf, varyingKeys, type Configuration } from '../configuration.js';
import { stageProblem } from '../health.js';
import type { BuildTable, Column, Row } from '../table.js';

const LEADING: Column[] = [
  { key: 'sweep', label: 'sweep', description: 'Name of the sweep that planned the job.' },
  { key: 'objective', label: 'objective', description: 'The parts of the task joined, at whatever mask ratio.' },
  { key: 'cells', label: 'cells', description: 'Every cell of the sweep that comes to this job.' },
  { key: 'mask_ratio', label: 'mask ratio', description: 'Fraction of the tokens removed.', digits: 2 },
  { key: 'misalignment', label: 'misalignment', description: 'How the input grid is moved against the target grid.' },
  { key: 'style', label: 'style', description: "How the input's pixels are changed." },
  { key: 'seed', label: 'seed', description: 'Root of every random stream.', digits: 0 },
];

const UNHEALTHY: Column = {
  key: 'unhealthy',
  label: 'unhealthy',
  description: 'Stages whose training did not work, and why; empty where all worked.',
};

const MISSING: Column = {
  key: 'missing',
  label: 'missing',
  description: 'Kinds of stages without a result; empty when the job is complete.',
};

const KINDS: readonly StageKind[] = ['pretrain', 'finetune', 'linear', 'knn'];

interface Metric extends Omit<Column, 'key'> {
  suffix: string;
  kinds: readonly StageKind[];
  read: (result: StageResult) => number | null;
}

const EVALUATIONS: readonly StageKind[] = ['finetune', 'linear', 'knn'];

/** The columns of each kind of stage; their keys begin with the kind, as in `finetune_accuracy`. */
const METRICS: readonly Metric[] = [
  {
    suffix: 'accuracy',
    kinds: EVALUATIONS,
    label: 'accuracy',
    description: 'Top-1 on the test set at the last epoch.',
    unit: '%',
    digits: 2,
    read: (result) => ('accuracy' in result ? result.accuracy : null),
  },
  {
    suffix: 'top5',
    kinds: EVALUATIONS,
    label: 'top-5',
    description: 'Top-5 on the test set; empty with five classes or fewer.',
    unit: '%',
    digits: 2,
    read: (result) => ('top5' in result ? result.top5 : null),
  },
  {
    suffix: 'loss',
    kinds: ['pretrain', 'finetune', 'linear'],
    label: 'loss',
    description: 'Mean training loss of the last epoch.',
    digits: 4,
    read: (result) => ('loss' in result ? result.loss : null),
  },
  {
    suffix: 'zero_loss',
    kinds: ['pretrain'],
    label: 'zero loss',
    description: 'What a prediction of zero scores on the same task.',
    digits: 4,
    read: (result) => ('zeroLoss' in result ? result.zeroLoss : null),
  },
  {
    suffix: 'chance_loss',
    kinds: ['finetune', 'linear'],
    label: 'chance loss',
    description: 'What predicting equal odds for every class scores.',
    digits: 4,
    read: (result) => ('chanceLoss' in result ? result.chanceLoss : null),
  },
  {
    suffix: 'first_loss',
    kinds: ['pretrain', 'finetune'],
    label: 'first loss',
    description: 'Training loss of the first step.',
    digits: 4,
    read: (result) => ('firstLoss' in result ? result.firstLoss : null),
  },
  {
    suffix: 'largest_gradient_norm',
    kinds: ['pretrain', 'finetune'],
    label: 'largest gradient norm',
    description: "Largest global L2 norm of a step's gradients, before clipping.",
    digits: 4,
    read: (result) => ('largestGradientNorm' in result ? result.largestGradientNorm : null),
  },
  {
    suffix: 'batch_size',
    kinds: ['pretrain', 'finetune', 'linear'],
    label: 'batch size',
    description: 'Images in a step: less than in the recipe where there are fewer.',
    digits: 0,
    read: (result) => ('batchSize' in result ? result.batchSize : null),
  },
  {
    suffix: 'k',
    kinds: ['knn'],
    label: 'k',
    description: 'Neighbours that voted: less than in the recipe where there are fewer images.',
    digits: 0,
    read: (result) => ('k' in result ? result.k : null),
  },
  {
    suffix: 'epochs',
    kinds: KINDS,
    label: 'epochs',
    description: 'Epochs done, after which the numbers were read.',
    digits: 0,
    read: (result) => result.epochs,
  },
  {
    suffix: 'steps',
    kinds: KINDS,
    label: 'steps',
    description: 'Optimiser steps done.',
    digits: 0,
    read: (result) => result.steps,
  },
  {
    suffix: 'train_images',
    kinds: KINDS,
    label: 'training images',
    description: 'Images trained on.',
    digits: 0,
    read: (result) => result.trainImages,
  },
  {
    suffix: 'test_images',
    kinds: EVALUATIONS,
    label: 'test images',
    description: 'Images tested on.',
    digits: 0,
    read: (result) => ('testImages' in result ? result.testImages : null),
  },
  {
    suffix: 'corrupt_images',
    kinds: KINDS,
    label: 'corrupt images',
    description: 'Files that could not be decoded and were passed over.',
    digits: 0,
    read: (result) => result.corruptImages.length,
  },
  {
    suffix: 'images_per_second',
    kinds: KINDS,
    label: 'images/s',
    description: 'Training images per second of the last attempt; empty where nothing was trained.',
    digits: 0,
    read: (result) => result.imagesPerSecond,
  },
  {
    suffix: 'seconds',
    kinds: KINDS,
    label: 'seconds',
    description: 'Time of the last attempt.',
    unit: 's',
    digits: 1,
    read: (result) => result.seconds,
  },
];

export const runsTable: BuildTable = (data) => {
  const runs = data.jobs.map((job) => runOf(job, data));
  const keys = [...varyingKeys(runs), ...varyingStrengths(runs)];
  const kinds = KINDS.filter((kind) => runs.some(({ stages }) => stages.has(kind)));
  return {
    name: 'runs',
    title: 'Runs',
    caption: 'Every job of the sweep, with every key that varies and every number.',
    columns: [
      ...LEADING,
      ...keys.map((key): Column => ({ key, label: key, description: 'A key of the spec that varies.' })),
      ...kinds.flatMap(columnsOf),
      UNHEALTHY,
      MISSING,
    ],
    rows: runs.map((run) => ({ ...leadingCells(run), ...keyCells(run, keys), ...stageCells(run, kinds) })),
    summary: {},
  };
};

interface Run {
  job: ReportJob;
  task: ReportJob['task'];
  stages: ReadonlyMap<StageKind, StageRecord>;
  configuration: Configuration;
  strengths: Configuration;
}

/** Strengths with several values. That other tasks lack them says nothing. */
function varyingStrengths(runs: readonly Run[]): string[] {
  const keys = new Set(runs.flatMap(({ strengths }) => [...strengths.keys()]));
  return [...keys].filter((key) => new Set(runs.flatMap(({ strengths }) => strengths.get(key) ?? [])).size > 1).sort();
}

function runOf(job: ReportJob, data: ReportData): Run {
  const ids = [job.pretrain, ...Object.values(job.evaluations)].filter((id) => id !== null);
  const records = ids.map((id) => data.stages.get(id)!);
  const stages = records.map(({ stage }): Stage => stage);
  return {
    job,
    task: job.task,
    stages: new Map(records.map((record) => [record.stage.config.kind, record])),
    configuration: configurationOf(stages),
    strengths: strengthsOf(job.task),
  };
}

function columnsOf(kind: StageKind): Column[] {
  const own = METRICS.filter(({ kinds }) => kinds.includes(kind));
  return [
    ...own.map(({ suffix, label, description, unit, digits }): Column => ({
      key: `${kind}_${suffix}`,
      label: `${kind} ${label}`,
      description,
      ...(unit === undefined ? {} : { unit }),
      ...(digits === undefined ? {} : { digits }),
    })),
    { key: `${kind}_stage`, label: `${kind} stage`, description: 'Identity of the stage: its folder below stages/.' },
  ];
}

function leadingCells({ job: { sweep, task, cells, seed } }: Run): Row {
  return {
    sweep,
    objective: taskName(task),
    cells: cells.map(describeCell).join('; '),
    mask_ratio: task?.maskRatio ?? null,
    misalignment: task?.geometry.kind ?? null,
    style: task?.style.kind ?? null,
    seed,
  };
}

function keyCells({ configuration, strengths }: Run, keys: readonly string[]): Row {
  return Object.fromEntries(keys.map((key) => [key, configuration.get(key) ?? strengths.get(key) ?? null]));
}

function stageCells({ stages }: Run, kinds: readonly StageKind[]): Row {
  const cells: Row = {};
  for (const kind of kinds) {
    const record = stages.get(kind);
    for (const { suffix, kinds: of, read } of METRICS) {
      if (of.includes(kind)) cells[`${kind}_${suffix}`] = record?.result == null ? null : read(record.result);
    }
    cells[`${kind}_stage`] = record?.stage.id ?? null;
  }
  const missing = [...stages].filter(([, { result }]) => result === null).map(([kind]) => kind);
  const unhealthy = [...stages].flatMap(([kind, record]) => {
    const problem = stageProblem(record);
    return problem === null ? [] : [`${kind}: ${problem}`];
  });
  return { ...cells, unhealthy: unhealthy.join('; '), missing: missing.join(', ') };
}
