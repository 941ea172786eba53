/** One row for each job with every key that varies and every number, for anyone's own analysis. */
import { describeCell } from '../../spec/cells.js';
import { taskName } from '../../spec/objective.js';
import type { Stage, StageKind } from '../../spec/stages.js';
import { numberIn } from '../../stages/fields.js';
import { STAGE_ENTRIES, STAGE_KINDS } from '../../stages/index.js';
import type { ReportData, ReportJob, StageRecord } from '../collect.js';
import { configurationOf, strengthsOf, varyingKeys, type Configuration } from '../../evidence/configuration.js';
import { stageProblem } from '../../evidence/health.js';
import type { BuildTable, Column, Row } from '../table.js';

const LEADING: Column[] = [
  { key: 'sweep', label: 'sweep', description: 'Name of the sweep that planned the job.' },
  { key: 'objective', label: 'objective', description: 'The parts of the task joined, without the mask ratio.' },
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

export const runsTable: BuildTable = (data) => {
  const runs = data.jobs.map((job) => runOf(job, data));
  const keys = [...varyingKeys(runs), ...varyingStrengths(runs)];
  const kinds = STAGE_KINDS.filter((kind) => runs.some(({ stages }) => stages.has(kind)));
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

/** The columns of a kind of stage; their keys begin with the kind, as in `finetune_accuracy`. */
function columnsOf(kind: StageKind): Column[] {
  return [
    ...Object.entries(STAGE_ENTRIES[kind].columns).map(([key, { label, description, unit, digits }]): Column => ({
      key: columnKey(kind, key),
      label: `${kind} ${label}`,
      description,
      ...(unit === undefined ? {} : { unit }),
      digits,
    })),
    { key: `${kind}_stage`, label: `${kind} stage`, description: 'Identity of the stage: its folder below stages/.' },
  ];
}

/** `finetune_chance_loss` for `chanceLoss`. */
const columnKey = (kind: StageKind, key: string): string =>
  `${kind}_${key.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)}`;

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
    for (const key of Object.keys(STAGE_ENTRIES[kind].columns)) {
      cells[columnKey(kind, key)] = record?.result == null ? null : numberIn(record.result, key);
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
