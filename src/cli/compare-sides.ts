/** What `vitmim compare` does: collects both sides, prints the tables and writes the files. */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../common/errors.js';
import { collect, type ReportData } from '../report/collect.js';
import { compare, type PlanComparison } from '../report/compare/compare.js';
import { describePlans } from '../report/plans.js';
import { metricOf } from '../report/report.js';
import { toCsv } from '../report/writers/csv.js';
import { toMarkdown } from '../report/writers/markdown.js';
import { toText } from '../report/writers/text.js';
import type { NamedMetric } from '../stages/metrics.js';
import { writeFileAtomic } from '../store/files.js';
import { sweepPaths } from '../store/layout.js';
import { listPlans, type PlanChoice } from '../store/plans.js';
import { EXIT, printJson, say } from './terminal.js';

export interface CompareOptions {
  out?: string;
  metric?: string;
  all?: true;
  allowMissing?: true;
  allowUnhealthy?: true;
  json?: true;
}

const TO_INCLUDE = 'Include them with --all, or name the file of a plan in plans/';

/** Compares two sides by the options, and returns the exit code. */
export function compareSides(a: string, b: string, options: CompareOptions): number {
  const { out, allowMissing, allowUnhealthy, json } = options;
  const [left, right] = [a, b].map((path) => collectSide(path, options.all ? 'all' : 'newest'));
  const metric = commonMetric(left!, right!, options);
  const compared = compare(left!, right!, metric);
  const sides = [`A: ${describeSide(left!)}`, `B: ${describeSide(right!)}`];
  if (json) {
    printJson({ a: left!.sweeps, b: right!.sweeps, metric: metric.name, ...compared });
  } else {
    const tables = tablesOf(compared).map((table) => `${toText(table)}\n`);
    process.stdout.write(`${[...sides, '', ...tables].join('\n')}\n`);
    // The two sides of one folder are two of its plans, by the options.
    if (folderOf(left!) !== folderOf(right!)) {
      for (const sentence of [left!, right!].flatMap((side) => describePlans(side, TO_INCLUDE))) say(sentence);
    }
  }
  if (out !== undefined) say(`wrote ${write(compared, sides, out).join(', ')}`);
  const { missing, unhealthy } = compared;
  if (missing > 0) say(`${missing} ${missing === 1 ? 'result is' : 'results are'} missing of cells that both have`);
  if (unhealthy > 0) say(`unhealthy: ${unhealthy} ${unhealthy === 1 ? 'run does' : 'runs do'} not count`);
  const failed = (missing > 0 && !allowMissing) || (unhealthy > 0 && !allowUnhealthy);
  return failed ? EXIT.failed : EXIT.ok;
}

const tablesOf = ({ keys, cells, only }: PlanComparison) => [keys, cells, ...(only.rows.length === 0 ? [] : [only])];

/** The results of a folder's plans, or of the plan in that file. */
function collectSide(path: string, choice: PlanChoice): ReportData {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return collect([path], choice);
  const parent = dirname(path);
  const folder = basename(resolve(parent)) === 'plans' ? dirname(parent) : parent;
  const kept = listPlans(sweepPaths(folder)).plans.find((plan) => resolve(plan.path) === resolve(path));
  if (kept === undefined) {
    throw new UsageError(
      `${path} is no plan of a results folder, or is damaged; name a folder, or a file in its plans/`,
    );
  }
  return collect([folder], { id: kept.id });
}

/** @throws UsageError if the sides are ranked by different metrics and the options do not name one. */
function commonMetric(a: ReportData, b: ReportData, { metric }: CompareOptions): NamedMetric {
  const asked = metric === undefined ? {} : { metric };
  const [left, right] = [metricOf(a, asked), metricOf(b, asked)];
  if (left.name !== right.name) {
    throw new UsageError(`A is ranked by ${left.name} and B by ${right.name}; choose one with --metric`);
  }
  if (left.protocol === right.protocol) return left;
  throw new UsageError(
    `${left.name} is ${left.protocol} in A and ${right.protocol} in B; choose another metric with --metric`,
  );
}

const folderOf = ({ sweeps }: ReportData): string => resolve(sweeps[0]!.folder);

function describeSide({ sweeps: [sweep], jobs }: ReportData): string {
  const { name, folder, plans } = sweep!;
  const which = plans.length === 1 ? `plan ${plans[0]!}` : `the union of ${plans.length} plans`;
  return `${name} in ${folder}, ${which}, ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`;
}

function write(compared: PlanComparison, sides: readonly string[], out: string): string[] {
  const { folder, tables } = sweepPaths(out);
  const page = ['# Comparison', '', ...sides.flatMap((side) => [side, '']), ...tablesOf(compared).map(toMarkdown)];
  const files = [
    ...[compared.keys, compared.cells, compared.only].map((table) => ({
      path: join(tables, `${table.name}.csv`),
      text: toCsv(table),
    })),
    { path: join(folder, 'compare.md'), text: page.join('\n') },
  ];
  for (const { path, text } of files) writeFileAtomic(path, text);
  return files.map(({ path }) => path);
}
