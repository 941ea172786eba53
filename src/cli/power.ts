/** `vitmim power`: how many seeds decide a difference, from the spread of existing results. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { FEWEST_SEEDS } from '../statistics/power.js';
import { jsonOption, list, metricOption, planOptions } from './options.js';
import type { PowerOptions } from './show-power.js';

export const POWER_FORMATS = ['csv', 'md', 'latex'] as const;
export type PowerFormat = (typeof POWER_FORMATS)[number];

export function powerCommand(): Command {
  const command = new Command('power')
    .description('how many seeds decide a difference, from the spread of existing results')
    .argument('[folder...]', 'results folders of one sweep (default: the results that vitmim keeps)')
    .addOption(
      new Option(
        '--difference <numbers>',
        'differences to find, separated by commas, in the unit of the metric (points)',
      )
        .argParser(differences)
        .default([0.5, 1, 2, 5], '0.5,1,2,5'),
    )
    .addOption(
      new Option('--seeds <range>', 'numbers of seeds whose intervals are listed')
        .argParser(seedRange)
        .default(range(3, 20), '3..20'),
    )
    .addOption(metricOption('one metric (default: the first of each evaluation)'))
    .addOption(new Option('--alpha <level>', 'two-sided level of the test').argParser(share).default(0.05))
    .addOption(
      new Option('--power <probability>', 'probability of finding the difference').argParser(share).default(0.8),
    )
    .option('-o, --out <folder>', 'also write power.md and tables/power-*.csv there')
    .addOption(
      new Option(
        '--format <names>',
        `formats to write with --out, separated by commas: ${POWER_FORMATS.join(', ')} (default: csv,md)`,
      ).argParser(formats),
    )
    .addOption(jsonOption());
  for (const option of planOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Prints the standard deviation of a seed and of a difference paired by seed, the half-width of the interval of a difference
for each number of seeds, and the seeds that find a given difference. Two seeds of some cells are enough. With twenty runs
more than cells, the standard deviation has an error of about a sixth. Runs whose training did not work do not count.

Examples:
  vitmim power results/pilot
  vitmim power results/pilot --difference 1 --alpha 0.01    one point, in each of five comparisons
  vitmim power results/pilot --metric knn --seeds 3..8 --out results/pilot
  vitmim power                                              by the results that vitmim keeps`,
    )
    .action(async (folders: string[], options: PowerOptions) => {
      const { showPower } = await import('./show-power.js');
      showPower(folders, options);
    });
}

function differences(value: string): number[] {
  return list(value).map((text) => {
    const number = Number(text);
    if (text === '' || !(number > 0) || number === Infinity) {
      throw new InvalidArgumentError('expected positive numbers with commas between them, such as 1,2');
    }
    return number;
  });
}

/** More rows than this are no table. */
const MOST_SEEDS_LISTED = 1000;

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** `3..20` or `5`. */
function seedRange(value: string): number[] {
  const match = /^(\d{1,4})(?:\.\.(\d{1,4}))?$/.exec(value);
  const [from, to] = match === null ? [0, 0] : [Number(match[1]), Number(match[2] ?? match[1])];
  if (from < FEWEST_SEEDS || to < from || to > MOST_SEEDS_LISTED) {
    throw new InvalidArgumentError(
      `expected a number or a range from ${FEWEST_SEEDS} to ${MOST_SEEDS_LISTED}, such as 3..20`,
    );
  }
  return range(from, to);
}

function share(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number < 1)) throw new InvalidArgumentError('expected a number between 0 and 1, such as 0.05');
  return number;
}

function formats(value: string): PowerFormat[] {
  return list(value).map((name) => {
    const format = POWER_FORMATS.find((known) => known === name);
    if (format === undefined) throw new InvalidArgumentError(`expected some of ${POWER_FORMATS.join(', ')}`);
    return format;
  });
}
