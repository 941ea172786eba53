/** `vitmim report`: the tables of a sweep, from one results folder or several, printed and written. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { collect } from '../report/collect.js';
import { summarizeProvenance } from '../report/provenance.js';
import {
  buildReport,
  FORMATS,
  readableTables,
  writeReport,
  type Format,
  type ReportOptions,
} from '../report/report.js';
import { describeVerdict } from '../report/verdicts.js';
import { toText } from '../report/writers/text.js';
import { EVALUATIONS, type Evaluation } from '../spec/schema.js';
import { jsonOption, list, timeSpan } from './options.js';
import { EXIT, printJson, say } from './terminal.js';

interface Options {
  out?: string;
  metric?: Evaluation;
  format?: Format[];
  allowMissing?: true;
  watch?: number | true;
  json?: true;
}

export function reportCommand(finish: (code: number) => void): Command {
  return new Command('report')
    .description('print the tables of a finished sweep, and write them as CSV, Markdown, HTML and LaTeX')
    .argument('<folder...>', 'results folders of one sweep; several are merged')
    .option('-o, --out <folder>', 'where to write tables/, report.md and report.html (default: the first folder)')
    .addOption(new Option('--metric <name>', 'what the tables compare').choices(EVALUATIONS))
    .addOption(
      new Option(
        '--format <names>',
        `what to write, with commas between: ${FORMATS.join(', ')} (default: all but latex)`,
      ).argParser(formats),
    )
    .option('--allow-missing', 'exit with 0 though results are missing')
    .addOption(
      new Option(
        '-w, --watch [time]',
        'write it again until nothing is missing, every 30s unless a time is given',
      ).argParser(timeSpan),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Results that are missing leave their cells empty, with n = 0, and make the exit code 1.

Examples:
  vitmim report results/smoke
  vitmim report results/machine-1 results/machine-2 --out results/both --metric linear
  vitmim report results/smoke --format csv,latex
  vitmim report results/ablation --watch 1m      while the sweep runs`,
    )
    .action(async (folders: string[], options: Options) => {
      if (options.watch !== undefined) await watch(folders, options, options.watch === true ? 30 : options.watch);
      finish(report(folders, options));
    });
}

/** Writes the report again and again, and returns when nothing is missing any more. */
async function watch(folders: readonly string[], options: Options, seconds: number): Promise<void> {
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

function reportOptions({ metric, format }: Options): ReportOptions {
  return { ...(metric === undefined ? {} : { metric }), ...(format === undefined ? {} : { formats: format }) };
}

function formats(value: string): Format[] {
  return list(value).map((name) => {
    const format = FORMATS.find((known) => known === name);
    if (format === undefined) throw new InvalidArgumentError(`expected some of ${FORMATS.join(', ')}`);
    return format;
  });
}

function report(folders: readonly string[], given: Options): number {
  const { out, allowMissing, json } = given;
  const folder = out ?? folders[0]!;
  const data = collect(folders);
  const options = reportOptions(given);
  const built = buildReport(data, options);
  const { tables, verdicts } = built;
  const written = writeReport(data, folder, options, built);
  if (json) {
    printJson({ verdicts, tables, missing: data.missing, provenance: summarizeProvenance(data), written });
  } else {
    for (const { claim, verdict, numbers } of verdicts.map(describeVerdict)) say(`${claim}: ${verdict}. ${numbers}`);
    if (verdicts.length > 0) say('');
    for (const table of readableTables(tables)) say(`${toText(table)}\n`);
    say(`wrote ${written.join(', ')}`);
    for (const { stage, why } of data.missing) say(`missing: ${stage.config.kind} ${stage.id}: ${why}`);
  }
  return data.missing.length > 0 && !allowMissing ? EXIT.failed : EXIT.ok;
}
