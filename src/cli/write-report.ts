/** What `vitmim report` does: collects the results, prints the tables and writes the files. */
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../report/collect.js';
import { unmet, type Expectation } from '../report/expectations.js';
import type { Format } from '../report/formats.js';
import { describeUnhealthy, unhealthyStages } from '../report/health.js';
import { missingInBrief } from '../report/missing.js';
import { describePlans } from '../report/plans.js';
import { summarizeProvenance } from '../report/provenance.js';
import {
  buildReport,
  describeMethod,
  shownTables,
  writeReport,
  type BuiltReport,
  type ReportOptions,
} from '../report/report.js';
import type { TableName } from '../report/tables/index.js';
import { describeVerdict } from '../report/verdicts.js';
import { toText } from '../report/writers/text.js';
import { UnwritableError } from '../store/files.js';
import { planChoice, type PlanOptions } from './options.js';
import { EXIT, print, printedWidth, printJson, printWrapped, say } from './terminal.js';

export interface WriteOptions extends PlanOptions {
  out?: string;
  metric?: string;
  format?: Format[];
  allowMissing?: true;
  allowUnhealthy?: true;
  expect?: readonly Expectation[];
  watch?: number | true;
  json?: true;
}

/** More unhealthy stages than this are counted. */
const MOST_NAMED = 5;

/** Writes the report by the options, and returns the exit code. */
export async function report(folders: readonly string[], given: WriteOptions): Promise<number> {
  if (given.watch !== undefined) await watch(folders, given, given.watch === true ? 30 : given.watch);
  const { out, allowMissing, allowUnhealthy, json } = given;
  const folder = out ?? folders[0]!;
  const data = collect(folders, planChoice(given));
  const options = reportOptions(given);
  const built = buildReport(data, options);
  const { tables, verdicts, pairing } = built;
  const unhealthy = unhealthyStages(data);
  const unexpected = (given.expect ?? [])
    .map((expectation) => unmet(data, built.metric, expectation))
    .filter((why) => why !== null);
  const { written, unwritable } = tryToWrite(() => writeReport(data, folder, options, built));
  if (json) {
    const provenance = summarizeProvenance(data);
    const { sweeps, missing } = data;
    const named = verdicts.map(({ metric, ...verdict }) => ({ ...verdict, metric: metric.name }));
    printJson({ sweeps, verdicts: named, pairing, tables, missing, unhealthy, unexpected, provenance, written });
  } else {
    if (written.length > 0) say(`wrote ${written.join(', ')}`);
    const { first, rest } = missingInBrief(data.missing);
    for (const { stage, entry, why } of first) say(`missing: ${entry} ${stage.id}: ${why}`);
    if (rest !== null) say(`missing: ${rest}`);
    for (const sentence of describePlans(data)) say(sentence);
  }
  if (unwritable !== null) say(`The report is not written: ${unwritable}; name another folder with --out`);
  for (const stage of unhealthy.slice(0, MOST_NAMED)) say(`unhealthy: ${describeUnhealthy(stage)}`);
  if (unhealthy.length > MOST_NAMED) say(`unhealthy: ${unhealthy.length - MOST_NAMED} more, in runs.csv`);
  for (const why of unexpected) say(`error: ${why}`);
  if (!json) printReport(built);
  const failed =
    unwritable !== null ||
    unexpected.length > 0 ||
    (data.missing.length > 0 && !allowMissing) ||
    (unhealthy.length > 0 && !allowUnhealthy);
  return failed ? EXIT.failed : EXIT.ok;
}

/** The tables, then the verdicts. The main table is last, so that it is visible in a terminal without scrolling. */
function printReport(built: BuiltReport): void {
  const { tables, verdicts } = built;
  const width = printedWidth();
  const { shown } = shownTables(tables);
  const [objectives, others] = partition(shown, ({ name }) => name === MAIN_TABLE);
  for (const table of others) print(`${toText(table, width)}\n`);
  const asked = verdicts.filter((verdict) => verdict.asked);
  for (const { hypothesis, verdict, numbers } of asked.map(describeVerdict)) {
    printWrapped(`${hypothesis}: ${verdict}. ${numbers}`, 2);
  }
  if (asked.length > 0) print('');
  const notes = describeMethod(built);
  for (const note of notes) printWrapped(note);
  if (notes.length > 0) print('');
  for (const table of objectives) print(toText(table, width).trimEnd());
}

const MAIN_TABLE: TableName = 'objectives';

function partition<T>(items: readonly T[], holds: (item: T) => boolean): [T[], T[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

/** Tables can be printed although the folder cannot be written, for example the folder of another user. */
function tryToWrite(write: () => string[]): { written: string[]; unwritable: string | null } {
  try {
    return { written: write(), unwritable: null };
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error;
    return { written: [], unwritable: error.message };
  }
}

/** Writes the report again and again, and returns when nothing is missing any more. */
async function watch(folders: readonly string[], options: WriteOptions, seconds: number): Promise<void> {
  for (;;) {
    const data = collect(folders, planChoice(options));
    const present = data.stages.size - data.missing.length;
    if (data.missing.length === 0) return;
    // Before the first result there is nothing to compare.
    if (present > 0) writeReport(data, options.out ?? folders[0]!, reportOptions(options));
    say(`${present} of ${data.stages.size} results; looking again in ${seconds} s`);
    await sleep(seconds * 1000);
  }
}

function reportOptions({ metric, format }: WriteOptions): ReportOptions {
  return { ...(metric === undefined ? {} : { metric }), ...(format === undefined ? {} : { formats: format }) };
}
