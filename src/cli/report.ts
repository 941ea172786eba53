/** `vitmim report`: the tables of a sweep, from one results folder or several, printed and written. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseExpectation, type Expectation } from '../report/expectations.js';
import { FORMATS, type Format } from '../report/formats.js';
import { metricOption, jsonOption, list, planOptions, timeSpan } from './options.js';
import type { WriteOptions } from './write-report.js';

export function reportCommand(finish: (code: number) => void): Command {
  const command = new Command('report')
    .description('print the tables of a finished sweep, and write them as CSV, Markdown, HTML and LaTeX')
    .argument('<folder...>', 'results folders of one sweep; several are merged')
    .option('-o, --out <folder>', 'where to write tables/, report.md and report.html (default: the first folder)')
    .addOption(metricOption('the metric that the tables compare'))
    .addOption(
      new Option(
        '--format <names>',
        `formats to write, separated by commas: ${FORMATS.join(', ')} (default: all but latex)`,
      ).argParser(formats),
    )
    .option('--allow-missing', 'exit with 0 even if results are missing')
    .option('--allow-unhealthy', 'exit with 0 even if some runs are unhealthy')
    .addOption(
      new Option(
        '--expect <condition>',
        'exit with 1 unless the metric of every run of an objective is in a range, as in masked>=20; repeatable',
      ).argParser(expectation),
    )
    .addOption(
      new Option('-w, --watch [time]', 'repeat until no result is missing, every 30s unless a time is given').argParser(
        timeSpan,
      ),
    )
    .addOption(jsonOption());
  for (const option of planOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Cells of missing results are empty, with n = 0. Runs whose training did not work are unhealthy: they are marked, and count in no
comparison. The exit code is 1 if there are missing results or unhealthy runs.
A folder keeps every plan that ran in it. The report is about the newest plan, and lists what only the others have.
Runs of several plans are averaged only if they differ in nothing but their seeds.

Examples:
  vitmim report results/smoke
  vitmim report results/ablation --all           every plan that ran in the folder, such as one for each seed
  vitmim report results/ablation --plan 3f9a     one of them; vitmim status lists them
  vitmim report results/machine-1 results/machine-2 --out results/both --metric linear
  vitmim report results/smoke --format csv,latex
  vitmim report results/ci --expect 'zoomed-out>=15'      in continuous integration
  vitmim report results/ablation --watch 1m      while the sweep runs`,
    )
    .action(async (folders: string[], options: WriteOptions) => {
      const { report } = await import('./write-report.js'); // charts take a library that no other command needs
      finish(await report(folders, options));
    });
}

function expectation(value: string, previous: readonly Expectation[] | undefined): Expectation[] {
  const parsed = parseExpectation(value);
  if ('reason' in parsed) throw new InvalidArgumentError(parsed.reason);
  return [...(previous ?? []), parsed];
}

function formats(value: string): Format[] {
  return list(value).map((name) => {
    const format = FORMATS.find((known) => known === name);
    if (format === undefined) throw new InvalidArgumentError(`expected some of ${FORMATS.join(', ')}`);
    return format;
  });
}
