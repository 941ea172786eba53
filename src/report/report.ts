/** The report of a sweep: builds its tables and writes them. Reads only the collected data. */
import { join } from 'node:path';
import { metricsOf, type NamedMetric } from '../stages/metrics.js';
import { writeFileAtomic } from '../store/files.js';
import { sweepPaths, type SweepPaths } from '../store/layout.js';
import type { MissingResult, ReportData } from './collect.js';
import { measurementsOf } from '../evidence/measurements.js';
import { FORMATS, type Format } from './formats.js';
import { describeUnhealthy, unhealthyStages, withMarkExplained } from './health.js';
import { htmlReport } from './html/write.js';
import { findMetric } from '../evidence/metric.js';
import { missingInBrief } from './missing.js';
import { describePairing, pairingOfMeasurements, type Pairing } from './pairing.js';
import { describePlans } from './plans.js';
import { provenanceSection, summarizeProvenance } from './provenance.js';
import type { Table } from './table.js';
import { withChoiceExplained } from './selection.js';
import { isReadable, TABLES, type TableEntry } from './tables/index.js';
import { withRepeatsExplained, withUnits } from './units.js';
import {
  describeUnasked,
  describeVerdict,
  looksCaution,
  verdictRule,
  verdictSection,
  verdictsOf,
  type Verdict,
} from './verdicts.js';
import { rowsWithResults } from './writers/cells.js';
import { toCsv } from './writers/csv.js';
import { toLatex } from './writers/latex.js';
import { markdownParagraphs, markdownText, toMarkdown } from './writers/markdown.js';

export interface ReportOptions {
  /** The name of the metric that tables compare; by default the one that jobs are ranked by. */
  metric?: string;
  /** The formats to write; all but LaTeX by default. */
  formats?: readonly Format[];
}

const DEFAULT_FORMATS: readonly Format[] = ['csv', 'md', 'html'];

/**
 * Builds every table.
 *
 * @throws UsageError if the metric is not measured by any job, or the jobs do not agree on one.
 */
export function buildTables(data: ReportData, options: ReportOptions = {}): Table[] {
  const metric = metricOf(data, options);
  const caution = looksCaution(data);
  return Object.entries<TableEntry>(TABLES).flatMap(([name, { build }]) => {
    const content = build(data, { metric });
    if (content === null) return [];
    const table = { name, ...content };
    const explained = withChoiceExplained(withCaution(withMarkExplained(table), caution), data);
    return [withRepeatsExplained(withUnits(explained, metric), metric)];
  });
}

/** The table with a sentence on its intervals, if it has intervals. */
function withCaution(table: Table, caution: string | null): Table {
  const hasIntervals = table.columns.some(({ key }) => key === 'ci_low');
  return caution === null || !hasIntervals ? table : { ...table, caption: `${table.caption} ${caution}` };
}

/**
 * The verdicts on the paper's principles.
 *
 * @throws UsageError as {@link buildTables} does.
 */
export function buildVerdicts(data: ReportData, options: ReportOptions = {}): Verdict[] {
  return verdictsOf(data, metricOf(data, options));
}

/**
 * The metric that a report compares. If no job has an evaluation, it is the metric of fine-tuning, without values.
 *
 * @throws UsageError if no job measures it, or the jobs do not agree on one.
 */
export function metricOf(data: ReportData, { metric }: Pick<ReportOptions, 'metric'>): NamedMetric {
  return findMetric(data, metric) ?? metricsOf('finetune', 'finetune')[0]!;
}

/** The tables that fit a page. */
export function readableTables(tables: readonly Table[]): Table[] {
  return tables.filter(isReadable);
}

/**
 * The tables that fit a page and have a result, and a sentence that names the others.
 *
 * @returns the sentence as `without`; empty if every table has a result.
 */
export function shownTables(tables: readonly Table[]): { shown: Table[]; without: string } {
  const readable = readableTables(tables);
  const shown = readable.filter((table) => rowsWithResults(table).length > 0);
  const titles = readable.filter((table) => !shown.includes(table)).map(({ title }) => title);
  return { shown, without: titles.length === 0 ? '' : `Tables without a result: ${titles.join(', ')}.` };
}

/** How the verdicts were found, and which hypotheses and tables have no result: sentences, each a paragraph. */
export function describeMethod({ tables, verdicts, metric, pairing }: BuiltReport): string[] {
  return [
    verdictRule(verdicts),
    pairing === null ? '' : describePairing(pairing, metric),
    describeUnasked(verdicts),
    shownTables(tables).without,
  ].filter((text) => text !== '');
}

/** The content of a report, before it is formatted. */
export interface BuiltReport {
  tables: Table[];
  verdicts: Verdict[];
  metric: NamedMetric;
  /** The gain from pairing by seed; null: no two cells share two seeds. */
  pairing: Pairing | null;
}

/**
 * Builds the content of a report. With thousands of stages this takes seconds, so it is done once.
 *
 * @throws UsageError as {@link buildTables} does.
 */
export function buildReport(data: ReportData, options: ReportOptions = {}): BuiltReport {
  const metric = metricOf(data, options);
  return {
    tables: buildTables(data, options),
    verdicts: buildVerdicts(data, options),
    metric,
    pairing: pairingOfMeasurements(measurementsOf(data, metric)),
  };
}

/**
 * Writes a report into a folder: `tables/*.csv`, `report.md`, `report.html`, `tables/*.tex`, by the formats.
 *
 * @returns the paths written.
 * @throws UsageError as {@link buildTables} does.
 */
export function writeReport(
  data: ReportData,
  folder: string,
  options: ReportOptions = {},
  built: BuiltReport = buildReport(data, options),
): string[] {
  const formats = options.formats ?? DEFAULT_FORMATS;
  const files = FORMATS.filter((format) => formats.includes(format)).flatMap((format) =>
    filesOf(format, { data, ...built, paths: sweepPaths(folder) }),
  );
  for (const { path, text } of files) writeFileAtomic(path, text);
  return files.map(({ path }) => path);
}

interface Report extends BuiltReport {
  data: ReportData;
  paths: SweepPaths;
}

function filesOf(format: Format, report: Report): { path: string; text: string }[] {
  const { data, tables, verdicts, metric, paths } = report;
  switch (format) {
    case 'csv':
      return tables.map((table) => ({ path: join(paths.tables, `${table.name}.csv`), text: toCsv(table) }));
    case 'md':
      return [{ path: paths.report, text: reportPage(report) }];
    case 'html': {
      const wide = tables.filter((table) => !isReadable(table));
      const { shown } = shownTables(tables);
      const text = htmlReport(data, paths.folder, {
        metric,
        tables: shown,
        wide,
        verdicts: verdicts.filter(({ asked }) => asked).map(toldVerdict),
        notes: describePlans(data),
        method: describeMethod(report),
      });
      return [{ path: paths.page, text }];
    }
    case 'latex':
      return readableTables(tables).map((table) => ({
        path: join(paths.tables, `${table.name}.tex`),
        text: toLatex(table),
      }));
  }
}

function toldVerdict(found: Verdict): { principle: string; verdict: string; text: string } {
  const { hypothesis, verdict, numbers } = describeVerdict(found);
  return { principle: hypothesis, verdict, text: numbers };
}

/** The whole of `report.md`. */
function reportPage({ data, tables, verdicts, metric, pairing }: Report): string {
  const wide = tables.filter((table) => !isReadable(table));
  const { shown, without } = shownTables(tables);
  return [
    `# ${markdownText(data.sweeps[0]!.name)}`,
    '',
    ...descriptions(data).flatMap(markdownParagraphs),
    `${data.jobs.length} jobs, ${data.stages.size} stages, ${data.missing.length} without a result.`,
    '',
    ...describePlans(data).flatMap((sentence) => [sentence, '']),
    ...verdictSection(verdicts),
    ...(pairing === null ? [] : [markdownText(describePairing(pairing, metric)), '']),
    ...(without === '' ? [] : [markdownText(without), '']),
    ...shown.map(toMarkdown),
    ...wide.map(
      ({ name, title, caption }) =>
        `## ${markdownText(title)}\n\n${markdownText(caption)} See [tables/${name}.csv](tables/${name}.csv).\n`,
    ),
    ...provenanceSection(summarizeProvenance(data)),
    ...unhealthySection(data),
    ...missingSection(data.missing),
  ].join('\n');
}

/** The distinct descriptions of the folders. */
function descriptions({ sweeps }: ReportData): string[] {
  return [...new Set(sweeps.map(({ description }) => description))].filter((description) => description !== null);
}

function unhealthySection(data: ReportData): string[] {
  const lines = unhealthyStages(data).map((stage) => `- ${markdownText(describeUnhealthy(stage))}`);
  if (lines.length === 0) return [];
  return [
    '## Unhealthy runs',
    '',
    'Their training did not work, so no verdict, effect, mean or rank counts them.',
    '',
    ...lines,
    '',
  ];
}

function missingSection(missing: readonly MissingResult[]): string[] {
  if (missing.length === 0) return [];
  const { first, rest } = missingInBrief(missing);
  const lines = first.map(({ stage, entry, why }) => `- ${entry} \`${stage.id}\`: ${markdownText(why)}`);
  return ['## Missing results', '', ...lines, ...(rest === null ? [] : [`- ${markdownText(rest)}`]), ''];
}
