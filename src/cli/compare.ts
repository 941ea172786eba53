/** `vitmim compare`: two sweeps, or two plans of a results folder, side by side. */
import { Argument, Command } from 'commander';
import { hinted } from './completion/hints.js';
import type { CompareOptions } from './compare-sides.js';
import { metricOption, jsonOption } from './options.js';

const PATHS = { words: [], files: true };

export function compareCommand(finish: (code: number) => void): Command {
  return new Command('compare')
    .description('compare two sweeps or plans: which keys differ, which cells changed, and by how much')
    .addArgument(hinted(new Argument('<a>', 'a results folder, or the file of a plan in its folder plans/'), PATHS))
    .addArgument(hinted(new Argument('<b>', 'the same; differences are B minus A'), PATHS))
    .option('-o, --out <folder>', 'also write compare.md and tables/compare-*.csv there')
    .addOption(metricOption('the compared metric'))
    .option('--all', 'use all plans of a folder (default: its newest plan)')
    .option('--allow-missing', 'exit with 0 even if results are missing')
    .option('--allow-unhealthy', 'exit with 0 even if some runs are unhealthy')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A cell has all keys except the seed. The change is the keys that have one value on each side. Cells that agree in all
other keys are compared, paired by seed if both sides have the seeds. Prints the keys that differ, the cells of both
sides with intervals, and the cells of only one side. The exit code is 1 if results are missing or some
runs are unhealthy: their training did not work.

Examples:
  vitmim compare results/cifar10 results/cifar10-short
  vitmim compare results/ablation/plans/3f9ac0d1e2b34567.json results/ablation --metric linear
  vitmim compare results/before results/after --out results/change`,
    )
    .action(async (a: string, b: string, options: CompareOptions) => {
      const { compareSides } = await import('./compare-sides.js');
      finish(compareSides(a, b, options));
    });
}
