/** `vitmim report`: the tables of a sweep, from one results folder or several, printed and written. */
import { Command, Option } from 'commander';
import { collect } from '../report/collect.js';
import { summarizeProvenance } from '../report/provenance.js';
import { buildTables, readableTables, writeReport } from '../report/report.js';
import { toText } from '../report/writers/text.js';
import { EVALUATIONS, type Evaluation } from '../spec/schema.js';
import { jsonOption } from './options.js';
import { EXIT, printJson, say } from './terminal.js';

interface Options {
  out?: string;
  metric?: Evaluation;
  allowMissing?: true;
  json?: true;
}

export function reportCommand(finish: (code: number) => void): Command {
  return new Command('report')
    .description('print the tables of a finished sweep, and write them as CSV and Markdown')
    .argument('<folder...>', 'results folders of one sweep; several are merged')
    .option('-o, --out <folder>', 'where to write tables/ and report.md (default: the first folder)')
    .addOption(new Option('--metric <name>', 'what the tables compare').choices(EVALUATIONS))
    .option('--allow-missing', 'exit with 0 though results are missing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Results that are missing leave their cells empty, with n = 0, and make the exit code 1.

Examples:
  vitmim report results/smoke
  vitmim report results/machine-1 results/machine-2 --out results/both --metric linear`,
    )
    .action((folders: string[], options: Options) => {
      finish(report(folders, options));
    });
}

function report(folders: readonly string[], { out, metric, allowMissing, json }: Options): number {
  const folder = out ?? folders[0]!;
  const data = collect(folders);
  const options = metric === undefined ? {} : { metric };
  const tables = buildTables(data, options);
  const written = writeReport(data, folder, options);
  if (json) {
    printJson({ tables, missing: data.missing, provenance: summarizeProvenance(data), written });
  } else {
    for (const table of readableTables(tables)) say(`${toText(table)}\n`);
    say(`wrote ${written.join(', ')}`);
    for (const { stage, why } of data.missing) say(`missing: ${stage.config.kind} ${stage.id}: ${why}`);
  }
  return data.missing.length > 0 && !allowMissing ? EXIT.failed : EXIT.ok;
}
