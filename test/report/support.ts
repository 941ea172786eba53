/** Results folders made by hand: a plan from a spec, and the numbers that a test gives to its stages. */
import { join } from 'node:path';
import { planOf, resultOf, temporaryFolder, type Numbers } from '../runner/support.js';
import { collect, type ReportData } from '../../src/report/collect.js';
import { namedTask, paperObjective } from '../../src/report/paper.js';
import type { Row, Table } from '../../src/report/table.js';
import { entryNames, stageIds, type Job, type Plan, type StageConfig, type StageKind } from '../../src/spec/stages.js';
import type { StageResult } from '../../src/store/records.js';
import { writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';

/** The numbers of a stage, or null for none. Objective and seed are those of a job that has it. */
export type NumbersOf = (objective: string, seed: number, config: StageConfig) => Numbers | null;

/** Makes folders of results below one that is gone after the tests of the file. */
export function resultsMaker(): (yaml: string, numbersOf: NumbersOf) => string {
  const root = temporaryFolder();
  let count = 0;
  return (yaml, numbersOf) => {
    const folder = join(root, `sweep-${count++}`);
    const plan = planOf(yaml);
    const paths = sweepPaths(folder);
    writeJson(paths.plan, plan);
    for (const { id, config } of plan.stages) {
      const job = plan.jobs.find((each) => stageIds(each).includes(id))!;
      const numbers = numbersOf(objectiveOf(job), job.seed, config);
      if (numbers !== null) writeJson(paths.stage(id).result, resultOf(config.kind, numbers));
    }
    return folder;
  };
}

const objectiveOf = ({ task, cells }: Job): string => paperObjective(namedTask(task)) ?? cells[0]!.objective;

/** Accuracies by objective, one for each seed; null: no result. */
export function accuracies(table: Record<string, readonly (number | null)[]>): NumbersOf {
  return (objective, seed, { kind }) => {
    if (kind === 'pretrain') return {};
    const accuracy = table[objective]?.[seed];
    return accuracy == null ? null : { accuracy };
  };
}

/** Of a folder with one plan. */
export const ONLY_PLAN = { plans: ['0123456789abcdef'], settings: [], rest: { plans: 0, stages: 0, cells: 0 } };

/** The data of one plan without any files: every stage has the numbers given. */
export function dataOf(plan: Plan, numbers: Numbers = {}): ReportData {
  const names = entryNames(plan);
  return {
    sweeps: [{ name: plan.name, folder: 'results', description: null, leftOut: 0, ...ONLY_PLAN }],
    jobs: plan.jobs.map((job) => ({ ...job, sweep: plan.name })),
    stages: new Map(
      plan.stages.map((stage) => {
        const { id, config } = stage;
        return [id, { stage, entry: names.get(id)!, result: resultOf(config.kind, numbers), provenance: null }];
      }),
    ),
    missing: [],
    ...(plan.metrics === undefined ? {} : { metrics: plan.metrics }),
  };
}

export { collect };

/** Some columns of a table, row by row. */
export function pick({ rows }: Pick<Table, 'rows'>, ...keys: string[]): Row[string][][] {
  return rows.map((row) => keys.map((key) => row[key] ?? null));
}

/** The data of one plan without any files, with a result for each stage, or null if it is missing. */
export function collectedFrom(plan: Plan, resultFor: (job: Job, kind: StageKind) => StageResult | null): ReportData {
  const data = dataOf(plan);
  const stages = new Map(
    [...data.stages].map(([id, record]) => {
      const job = plan.jobs.find((each) => stageIds(each).includes(id))!;
      return [id, { ...record, result: resultFor(job, record.stage.config.kind) }];
    }),
  );
  const missing = [...stages.values()].filter(({ result }) => result === null);
  return {
    ...data,
    stages,
    missing: missing.map(({ stage, entry }) => ({ stage, entry, folder: '', why: 'not run' })),
  };
}
