/** `vitmim cancel`: ends what Slurm still has of a sweep. */
import { Command } from 'commander';
import { cancelSubmissions } from '../runner/slurm/cancel.js';
import { jsonOption } from './options.js';
import { printJson, printWrapped } from './terminal.js';

export function cancelCommand(): Command {
  return new Command('cancel')
    .description('cancel the Slurm jobs of a sweep; running stages keep a checkpoint')
    .argument('<folder>', 'results folder')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  vitmim cancel results/ablation')
    .action(async (folder: string, { json }: { json?: true }) => {
      const cancelled = await cancelSubmissions(folder);
      if (json) printJson(cancelled);
      else if (cancelled.jobs.length === 0) printWrapped(`Slurm has no live jobs of ${folder}`);
      else
        printWrapped(
          `cancelled ${cancelled.tasks} tasks of ${cancelled.jobs.length} jobs: ${cancelled.jobs.join(', ')}`,
        );
    });
}
