/** Sweeps of the copy, and results that nothing has computed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type * as collecting from '../../../src/report/collect.js';
import type * as reporting from '../../../src/report/report.js';
import type * as plans from '../../../src/spec/plan.js';
import type { Job, Plan } from '../../../src/spec/stages.js';
import type * as sweeps from '../../../src/spec/sweep.js';
import { writeJson } from '../../../src/store/files.js';
import { sweepPaths } from '../../../src/store/layout.js';
import { resultOf } from '../../runner/support.js';
import type { Copy } from '../support.js';

/** Keys of a job that trains in a second. */
export const TINY = `{
  data: { name: shapes, imageSize: 16, trainImages: 20, testImages: 10 },
  model: { dim: 12, depth: 1, heads: 1, decoder: { dim: 12, depth: 1, heads: 1 } },
  pretrain: { epochs: 2, batchSize: 10, warmupEpochs: 0 },
  evaluate: [knn], knn: { k: 3 } }`;

/** The plan of a sweep, as the copy makes it. */
export async function planIn(copy: Copy, yaml: string): Promise<Plan> {
  const { readSweep } = await copy.load<typeof sweeps>('spec/sweep');
  const { buildPlan } = await copy.load<typeof plans>('spec/plan');
  return buildPlan(readSweep(yaml, { file: 'sweep.yaml', defaultName: 'invented' }), () => 'fingerprint');
}

/** Writes a spec into the copy's folder and returns its name. */
export function writeSpec(copy: Copy, name: string, yaml: string): string {
  writeFileSync(join(copy.folder, `${name}.yaml`), yaml);
  return `${name}.yaml`;
}

export interface Reported {
  /** Rows of a table by its name, as CSV has them. */
  rows: (table: string) => Record<string, string>[];
  page: string;
}

/**
 * The copy's report on a sweep with the given accuracies. It is made once for each name.
 *
 * @param accuracyOf In percent.
 */
export async function reportIn(
  copy: Copy,
  name: string,
  yaml: string,
  accuracyOf: (job: Job) => number,
): Promise<Reported> {
  const folder = join(copy.folder, name);
  if (!existsSync(folder)) {
    const plan = await planIn(copy, yaml);
    const paths = sweepPaths(folder);
    writeJson(paths.plan, plan);
    for (const { id, config } of plan.stages) {
      const job = plan.jobs.find(({ evaluations }) => Object.values(evaluations).flat().includes(id));
      writeJson(paths.stage(id).result, resultOf(config.kind, job === undefined ? {} : { accuracy: accuracyOf(job) }));
    }
    const { collect } = await copy.load<typeof collecting>('report/collect');
    const { writeReport } = await copy.load<typeof reporting>('report/report');
    writeReport(collect([folder]), folder);
  }
  return {
    rows: (table) => parse(readFileSync(join(folder, 'tables', `${table}.csv`)), { columns: true }),
    page: readFileSync(join(folder, 'report.html'), 'utf8'),
  };
}

/** Every geometry and style at two mask ratios: what effects, tables and charts are made from. */
export function crossedReport(copy: Copy): Promise<Reported> {
  const yaml = `
job: ${TINY}
grid: { objective: identity, maskRatio: [0, 0.75], misalignment: [none, distorted, upside-down],
        stylePreservation: [preserved, inverted], seed: [0, 1, 2] }`;
  return reportIn(copy, 'crossed', yaml, ({ task, seed }) => {
    const turned: string = task!.geometry.kind;
    const inverted: string = task!.style.kind;
    return (
      40 +
      (task!.maskRatio > 0 ? 3 : 0) +
      (turned === 'upside-down' ? 5 + seed / 10 : 0) -
      (inverted === 'inverted' ? 2 + seed / 5 : 0)
    );
  });
}
