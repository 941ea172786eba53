/** `vitmim export`: a results folder for other programs to show. */
import { join } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../common/errors.js';
import { exportTensorboard } from '../report/export-tensorboard.js';
import { sweepPaths } from '../store/layout.js';
import { choosePlans, describeRest } from '../store/plans.js';
import { planChoice, planOptions, type PlanOptions } from './options.js';
import { print, say } from './terminal.js';

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write the curves of every stage for another program')
    .argument('<folder>', 'the results folder')
    .requiredOption('--tensorboard [folder]', 'event files for TensorBoard (default: <folder>/tensorboard)');
  for (const option of planOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Examples:
  vitmim export results/ablation --tensorboard && tensorboard --logdir results/ablation/tensorboard
  vitmim export results/ablation --tensorboard curves --all      of every plan that ran in the folder`,
    )
    .action((folder: string, { tensorboard, ...which }: PlanOptions & { tensorboard: string | true }) => {
      const { plan, rest } = choosePlans(sweepPaths(folder), planChoice(which));
      const out = tensorboard === true ? join(folder, 'tensorboard') : tensorboard;
      const files = exportTensorboard(plan, folder, out);
      if (files.length === 0) throw new UsageError(`no stage in ${folder} has curves yet`);
      say(`wrote ${files.length} event files; look at them with: tensorboard --logdir ${out}`);
      const notIncluded = describeRest(rest, folder);
      if (notIncluded !== null) say(notIncluded);
      print(out);
    });
}
