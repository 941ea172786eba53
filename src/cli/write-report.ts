/** What `vitmim report` does: collects the results, prints the tables and writes the files. */
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../report/collect.js';
import { unmet, type Expectation } from '../report/expectations.js';
import type { Format } from '../report/formats.js';
import { describeUnhealthy, unhealthyStages } from '../report/health.js';
import { describePairing } from '../report/pairing.js';
import { summarizeProvenance } from '../report/provenance.js';
import { buildReport, readableTables, writeReport, type ReportOptions } from '../report/report.js';
import { describeVerdict, verdictRule } from '../report/verdicts.js';
import { toText } from '../report/writers/text.js';
import type { MetricName } from '../stages/metrics.js';
import { EXIT, printJson, say } from './terminal.js';

export interface WriteOptions {
  out?: string;
  metric?: MetricName;
  format?: Format[];
  allowMissing?: true;
  allowUnhealthy?: true;
  expect?: readonly Expectation[];
  watch?: number | true;
  json?: true;
}

/** More unhealthy stages than this are counted. */
const MOST_NAMED = 5;

/** Reports as asked, and returns the exit code. */
export async function report(folders: readonly string[], given: WriteOptions): Promise<number> {
  if (given.watch !== undefined) await watch(folders, given, given.watch === true ? 30 : given.watch);
  const { out, allowMissing, allowUnhealthy, json } = given;
  const folder = out ?? folders[0]!;
  const data = collect(folders);
  const options = reportOptions(given);
  const built = buildReport(data, options);
  const { tables, verdicts, metric, pairing } = built;
  const unhealthy = unhealthyStages(data);
  const unexpected = (given.expect ?? [])
    .map((expectation) => unmet(data, metric, expectation))
    .filter((why) => why !== null);
  const written = writeReport(data, folder, options, built);
  if (json) {
    const provenance = summarizeProvenance(data);
    printJson({ verdicts, pairing, tables, missing: data.missing, unhealthy, unexpected, provenance, written });
  } else {
    for (const { claim, verdict, numbers } of verdicts.map(describeVerdict)) say(`${claim}: ${verdict}. ${numbers}`);
    if (verdicts.length > 0) say(`\n${verdictRule(verdicts)}`);
    if (pairing !== null) say(describePairing(pairing, metric));
    if (verdicts.length > 0 || pairing !== null) say('');
    for (const table of readableTables(tables)) say(`${toText(table)}\n`);
    say(`wrote ${written.join(', ')}`);
    for (const { stage, why } of data.missing) say(`missing: ${stage.config.kind} ${stage.id}: ${why}`);
  }
  for (const stage of unhealthy.slice(0, MOST_NAMED)) say(`unhealthy: ${describeUnhealthy(stage)}`);
  if (unhealthy.length > MOST_NAMED) say(`unhealthy: ${unhealthy.length - MOST_NAMED} more, in runs.csv`);
  for (const why of unexpected) say(`error: ${why}`);
  const failed = (data.missing.length > 0 && !allowMissing) || (unhealthy.length > 0 && !allowUnhealthy);
  return failed || unexpected.length > 0 ? EXIT.failed : EXIT.ok;
}

/** Writes the report again and again, and returns when nothing is missing any more. */
async function watch(folders: readonly string[], options: WriteOptions, seconds: number): Promise<void> {
  for (;;) {
    const data = collect(folders);
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
