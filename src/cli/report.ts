/** `vitmim report`: the tables of a sweep, from one results folder or several, printed and written. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { collect } from '../report/collect.js';
import { summarizeProvenance } from '../report/provenance.js';
import { buildTables, buildVerdicts, FORMATS, readableTables, writeReport, type Format } from '../report/report.js';
import { describeVerdict } from '../report/verdicts.js';
import { toText } from '../report/writers/text.js';
import { EVALUATIONS, type Evaluation } from '../spec/schema.js';
import { jsonOption, list } from './options.js';
import { EXIT, printJson, say } from './terminal.js';

interface Options {
  out?: string;
  metric?: Evaluation;
  format?: Format[];
  allowMissing?: true;
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
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Results that are missing leave their cells empty, with n = 0, and make the exit code 1.

Examples:
  vitmim report results/smoke
  vitmim report results/machine-1 results/machine-2 --out results/both --metric linear
  vitmim report results/smoke --format csv,latex`,
    )
    .action((folders: string[], options: Options) => {
      finish(report(folders, options));
    });
}

function formats(value: string): Format[] {
  return list(value).map((name) => {
    const format = FORMATS.find((known) => known === name);
    if (format === undefined) throw new InvalidArgumentError(`expected some of ${FORMATS.join(', ')}`);
    return format;
  });
}

function report(folders: readonly string[], { out, metric, format, allowMissing, json }: Options): number {
  const folder = out ?? folders[0]!;
  const data = collect(folders);
  const options = {
    ...(metric === undefined ? {} : { metric }),
    ...(format === undefined ? {} : { formats: format }),
  };
  const tables = buildTables(data, options);
  const verdicts = buildVerdicts(data, options);
  const written = writeReport(data, folder, options);
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
