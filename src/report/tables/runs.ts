/** One row for each job with every key that varies and every number, for further analysis. */
import { mean } from '../../common/sums.js';
import { describeCell } from '../../spec/cells.js';
import { taskName } from '../../spec/objective.js';
import { repeatsOf } from '../../spec/stages.js';
import { numberIn } from '../../stages/fields.js';
import { STAGE_ENTRIES, type StageKind } from '../../stages/index.js';
import type { ReportData, ReportJob, StageRecord } from '../collect.js';
import { configurationOfJob, strengthsOf, varyingKeys, type Configuration } from '../../evidence/configuration.js';
import { stageProblem } from '../../evidence/health.js';
import type { BuildTable, Column, Row, TableContent } from '../table.js';
import { variantsOf, type VariantNames } from '../../evidence/variants.js';

const LEADING: Column[] = [
  { key: 'sweep', label: 'sweep', description: 'Name of the sweep that planned the job.' },
  { key: 'objective', label: 'objective', description: 'The parts of the task joined, without the mask ratio.' },
  { key: 'cells', label: 'cells', description: 'Every cell of the sweep that resolves to this job.' },
  { key: 'mask_ratio', label: 'mask ratio', description: 'Fraction of the tokens removed.', digits: 2 },
  { key: 'misalignment', label: 'misalignment', description: 'How the input grid is moved against the target grid.' },
  { key: 'style', label: 'style', description: "How the input's pixels are changed." },
  { key: 'seed', label: 'seed', description: 'Root of every random stream.', digits: 0 },
];

const UNHEALTHY: Column = {
  key: 'unhealthy',
  label: 'unhealthy',
  description: 'Stages whose training did not work, and why; empty if there are none.',
};

const MISSING: Column = {
  key: 'missing',
  label: 'missing',
  description: 'Pre-training and evaluations that lack a result; empty when the job is complete.',
};

export const runsTable: BuildTable<TableContent> = (data) => {
  const runs = data.jobs.map((job) => runOf(job, data));
  const keys = [...varyingKeys(runs), ...varyingStrengths(runs)];
  const axes = [...new Set(runs.flatMap(({ variants }) => [...variants.keys()]))].sort();
  const parts = partsIn(runs);
  return {
    title: 'Runs',
    caption: 'Every job of the sweep, with every key that varies and every number.',
    columns: [
      ...LEADING,
      ...axes.map((key): Column => ({ key, label: key, description: 'An axis of variants, by their names.' })),
      ...keys.map((key): Column => ({ key, label: key, description: 'A key of the spec that varies.' })),
      ...parts.flatMap(columnsOf),
      UNHEALTHY,
      MISSING,
    ],
    rows: runs.map((run) => ({
      ...leadingCells(run),
      ...variantCells(run, axes),
      ...keyCells(run, keys),
      ...stageCells(run, parts),
    })),
    summary: {},
  };
};

interface Run {
  job: ReportJob;
  task: ReportJob['task'];
  /** The stages of the job by `pretrain` and the names of its evaluations; several are repeats. */
  stages: ReadonlyMap<string, readonly StageRecord[]>;
  configuration: Configuration;
  strengths: Configuration;
  variants: VariantNames;
}

/** Strengths with several values. Other tasks may lack them. */
function varyingStrengths(runs: readonly Run[]): string[] {
  const keys = new Set(runs.flatMap(({ strengths }) => [...strengths.keys()]));
  return [...keys].filter((key) => new Set(runs.flatMap(({ strengths }) => strengths.get(key) ?? [])).size > 1).sort();
}

function runOf(job: ReportJob, data: ReportData): Run {
  const ids = new Map<string, readonly string[]>([
    ...(job.pretrain === null ? [] : [['pretrain', [job.pretrain]] as const]),
    ...Object.keys(job.evaluations).map((name) => [name, repeatsOf(job, name)] as const),
  ]);
  return {
    job,
    task: job.task,
    stages: new Map([...ids].map(([name, own]) => [name, own.map((id) => data.stages.get(id)!)])),
    configuration: configurationOfJob(job, (id) => data.stages.get(id)?.stage),
    strengths: strengthsOf(job.task, job.weights),
    variants: variantsOf(job.cells),
  };
}

/** Pre-training, or an evaluation by its name, and the kind of its stages. */
interface Part {
  name: string;
  kind: StageKind;
  repeated: boolean;
}

/** Pre-training first, then the evaluations in the order of the jobs. */
function partsIn(runs: readonly Run[]): Part[] {
  const parts = new Map<string, Part>();
  for (const { stages } of runs) {
    for (const [name, records] of stages) {
      const repeated = records.length > 1 || parts.get(name)?.repeated === true;
      parts.set(name, { name, kind: records[0]!.stage.config.kind, repeated });
    }
  }
  const { pretrain, ...evaluations } = Object.fromEntries(parts) as Partial<Record<string, Part>>;
  return [pretrain, ...Object.values(evaluations)].filter((part) => part !== undefined);
}

const MEAN_OF_REPEATS = ' Mean of the repeats that have a result; repeats.csv has each.';

/** The columns of a part of a job; their keys begin with its name, as in `finetune_accuracy`. */
function columnsOf({ name, kind, repeated }: Part): Column[] {
  return [
    ...Object.entries(STAGE_ENTRIES[kind].columns).map(([key, { label, description, unit, digits }]): Column => ({
      key: columnKey(name, key),
      label: `${name} ${label}`,
      description: description + (repeated ? MEAN_OF_REPEATS : ''),
      ...(unit === undefined ? {} : { unit }),
      digits,
    })),
    { key: `${name}_stage`, label: `${name} stage`, description: 'Identity of the stage: its folder below stages/.' },
  ];
}

/** `finetune_chance_loss` for `chanceLoss`. */
const columnKey = (name: string, key: string): string =>
  `${name}_${key.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)}`;

function leadingCells({ job: { sweep, task, weights, cells, seed } }: Run): Row {
  return {
    sweep,
    objective: taskName(task, weights),
    cells: cells.map(describeCell).join('; '),
    mask_ratio: task?.maskRatio ?? null,
    misalignment: task?.geometry.kind ?? null,
    style: task?.style.kind ?? null,
    seed,
  };
}

function variantCells({ variants }: Run, axes: readonly string[]): Row {
  return Object.fromEntries(axes.map((axis) => [axis, variants.get(axis) ?? null]));
}

function keyCells({ configuration, strengths }: Run, keys: readonly string[]): Row {
  return Object.fromEntries(keys.map((key) => [key, configuration.get(key) ?? strengths.get(key) ?? null]));
}

function stageCells({ stages }: Run, parts: readonly Part[]): Row {
  const cells: Row = {};
  for (const { name, kind } of parts) {
    const records = stages.get(name) ?? [];
    for (const key of Object.keys(STAGE_ENTRIES[kind].columns)) {
      const values = records.flatMap(({ result }) => (result === null ? [] : (numberIn(result, key) ?? [])));
      cells[columnKey(name, key)] = values.length === 0 ? null : mean(values);
    }
    cells[`${name}_stage`] = records.length === 0 ? null : records.map(({ stage }) => stage.id).join(' ');
  }
  const missing = [...stages].filter(([, records]) => records.some(({ result }) => result === null));
  const unhealthy = [...stages].flatMap(([name, records]) => {
    const problems = records.flatMap((record) => stageProblem(record) ?? []);
    return problems.map((problem) => `${name}: ${problem}`);
  });
  return { ...cells, unhealthy: unhealthy.join('; '), missing: missing.map(([name]) => name).join(', ') };
}
