/** `vitmim export`: a results folder for other programs to show. */
import { join } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../common/errors.js';
import { exportTensorboard } from '../report/export-tensorboard.js';
import { sweepPaths } from '../store/layout.js';
import { readPlan } from '../store/plan.js';
import { print, say } from './terminal.js';

export function exportCommand(): Command {
  return new Command('export')
    .description('write the curves of every stage for another program')
    .argument('<folder>', 'the results folder')
    .requiredOption('--tensorboard [folder]', 'event files for TensorBoard (default: <folder>/tensorboard)')
    .addHelpText(
      'after',
      `
Example:
  vitmim export results/ablation --tensorboard && tensorboard --logdir results/ablation/tensorboard`,
    )
    .action((folder: string, { tensorboard }: { tensorboard: string | true }) => {
      const plan = readPlan(sweepPaths(folder));
      const out = tensorboard === true ? join(folder, 'tensorboard') : tensorboard;
      const files = exportTensorboard(plan, folder, out);
      if (files.length === 0) throw new UsageError(`no stage in ${folder} has curves yet`);
      say(`wrote ${files.length} event files; look at them with: tensorboard --logdir ${out}`);
      print(out);
    });
}
