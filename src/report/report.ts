/** The report of a sweep: builds its tables and writes them. Reads nothing but what was collected. */
import { join } from 'node:path';
import { UsageError } from '../common/errors.js';
import { EVALUATIONS, type Evaluation } from '../spec/schema.js';
import { writeFileAtomic } from '../store/files.js';
import { sweepPaths } from '../store/layout.js';
import type { MissingResult, ReportData } from './collect.js';
import { provenanceSection, summarizeProvenance } from './provenance.js';
import type { Table } from './table.js';
import { TABLES } from './tables/index.js';
import { toCsv } from './writers/csv.js';
import { toMarkdown } from './writers/markdown.js';

export interface ReportOptions {
  /** What tables compare; by default what the jobs are ranked by. */
  metric?: Evaluation;
}

/**
 * Builds every table.
 *
 * @throws UsageError where the metric is not measured by any job, or the jobs do not agree on one.
 */
export function buildTables(data: ReportData, { metric = defaultMetric(data) }: ReportOptions = {}): Table[] {
  const measured = EVALUATIONS.filter((name) => data.jobs.some(({ evaluations }) => evaluations[name] !== undefined));
  if (!measured.includes(metric)) {
    throw new UsageError(`no job measures ${metric}; choose --metric among ${measured.join(', ')}`);
  }
  return Object.values(TABLES).map(({ build }) => build(data, { metric }));
}

/** The metric that all jobs are ranked by. */
function defaultMetric(data: ReportData): Evaluation {
  const metrics = [...new Set(data.jobs.map(({ rankedBy }) => rankedBy))];
  if (metrics.length === 1) return metrics[0]!;
  throw new UsageError(`the jobs are ranked by different metrics; choose --metric among ${metrics.join(', ')}`);
}

/** The tables that fit a page. */
export function readableTables(tables: readonly Table[]): Table[] {
  return tables.filter(({ name }) => TABLES[name].readable);
}

/**
 * Writes `tables/*.csv` and `report.md` into a folder.
 *
 * @returns the paths written.
 * @throws UsageError as {@link buildTables} does.
 */
export function writeReport(data: ReportData, folder: string, options: ReportOptions = {}): string[] {
  const paths = sweepPaths(folder);
  const tables = buildTables(data, options);
  const files = [
    ...tables.map((table) => ({ path: join(paths.tables, `${table.name}.csv`), text: toCsv(table) })),
    { path: paths.report, text: reportPage(data, tables) },
  ];
  for (const { path, text } of files) writeFileAtomic(path, text);
  return files.map(({ path }) => path);
}

/** The whole of `report.md`. */
function reportPage(data: ReportData, tables: readonly Table[]): string {
  const wide = tables.filter(({ name }) => !TABLES[name].readable);
  return [
    `# ${data.sweeps[0]!.name}`,
    '',
    ...descriptions(data).flatMap((description) => [description, '']),
    `${data.jobs.length} jobs, ${data.stages.size} stages, ${data.missing.length} without a result.`,
    '',
    ...readableTables(tables).map(toMarkdown),
    ...wide.map(
      ({ name, title, caption }) => `## ${title}\n\n${caption} See [tables/${name}.csv](tables/${name}.csv).\n`,
    ),
    ...provenanceSection(summarizeProvenance(data)),
    ...missingSection(data.missing),
  ].join('\n');
}

/** Of each folder, where they differ. */
function descriptions({ sweeps }: ReportData): string[] {
  return [...new Set(sweeps.map(({ description }) => description))].filter((description) => description !== null);
}

function missingSection(missing: readonly MissingResult[]): string[] {
  if (missing.length === 0) return [];
  const lines = missing.map(({ stage, why }) => `- ${stage.config.kind} \`${stage.id}\`: ${why}`);
  return ['## Missing results', '', ...lines, ''];
}
