/** `vitmim export`: the curves or the weights of a results folder for other programs. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { UsageError } from '../common/errors.js';
import { exportTensorboard } from '../report/export-tensorboard.js';
import type { Plan } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import { choosePlans, describeRest } from '../store/plans.js';
import { WEIGHTS_FORMATS } from '../weights/names.js';
import type { ExportFormat } from '../weights/export/files.js';
import type { StageChoice } from '../runner/choose-stage.js';
import { exportWeights, readExported } from './export-weights.js';
import { planChoice, planOptions, stageOptions, type PlanOptions } from './options.js';
import { print, say } from './terminal.js';

interface Options extends PlanOptions, StageChoice {
  tensorboard?: string | true;
  weights?: ExportFormat;
  out?: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write the curves or the weights of stages for another program')
    .argument('<folder>', 'the results folder')
    .option('--tensorboard [folder]', 'event files of every stage for TensorBoard (default: <folder>/tensorboard)')
    .addOption(
      new Option('--weights <format>', 'weights of one stage that timm, MAE or Hugging Face transformers load')
        .choices(WEIGHTS_FORMATS.filter((format) => format !== 'vitmim'))
        .conflicts('tensorboard'),
    )
    .option('-o, --out <folder>', 'folder to write (default: <folder>/exports/<stage>)');
  for (const option of [...stageOptions(), ...planOptions()]) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Examples:
  vitmim export results/ablation --tensorboard && tensorboard --logdir results/ablation/tensorboard
  vitmim export results/ablation --tensorboard curves --all      of every plan that ran in the folder
  vitmim export results/ablation --weights timm --cell objective=masked,seed=0 --out masked
  vitmim export results/ablation --weights hf --stage 0123abcd`,
    )
    .action(async (folder: string, options: Options) => {
      const { plan, rest } = choosePlans(sweepPaths(folder), planChoice(options));
      print(await exportAs(folder, plan, options));
      const notIncluded = describeRest(rest, folder);
      if (options.weights === undefined && notIncluded !== null) say(notIncluded);
    });
}

/** Writes what the options ask for, and returns where. */
async function exportAs(folder: string, plan: Plan, options: Options): Promise<string> {
  if (options.weights !== undefined) {
    return exportWeights(readExported(folder, plan, options), options.weights, planChoice(options), options.out);
  }
  if (options.tensorboard === undefined) {
    throw new UsageError('say what to export: --tensorboard, or --weights timm, mae or hf');
  }
  const out = options.tensorboard === true ? join(folder, 'tensorboard') : options.tensorboard;
  const files = exportTensorboard(plan, folder, out);
  if (files.length === 0) throw new UsageError(`no stage in ${folder} has curves yet`);
  say(`wrote ${files.length} event files; look at them with: tensorboard --logdir ${out}`);
  return out;
}
