/** `vitmim export`: the curves of a results folder, or the model of one of its stages, for other programs. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { UsageError } from '../common/errors.js';
import { exportTensorboard } from '../report/export-tensorboard.js';
import type { Plan } from '../spec/stages.js';
import { WEIGHTS_FORMATS } from '../spec/weights-formats.js';
import { sweepPaths } from '../store/layout.js';
import { choosePlans, describeRest } from '../store/plans.js';
import type { ExportFormat } from '../weights/export/files.js';
import type { StageChoice } from '../runner/choose-stage.js';
import { exportOnnx, exportWeights, readExported } from './export-weights.js';
import { planChoice, planOptions, stageOptions, type PlanOptions } from './options.js';
import { print, say } from './terminal.js';

interface Options extends PlanOptions, StageChoice {
  tensorboard?: string | true;
  weights?: ExportFormat;
  onnx?: true;
  half?: true;
  out?: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write the curves, the weights or the model of stages for another program')
    .argument('<folder>', 'the results folder')
    .option('--tensorboard [folder]', 'event files of every stage for TensorBoard (default: <folder>/tensorboard)')
    .addOption(
      new Option('--weights <format>', 'weights of one stage that timm, MAE or Hugging Face transformers load')
        .choices(WEIGHTS_FORMATS.filter((format) => format !== 'vitmim'))
        .conflicts('tensorboard'),
    )
    .addOption(
      new Option('--onnx', 'the model of one stage for ONNX Runtime and transformers.js').conflicts([
        'tensorboard',
        'weights',
      ]),
    )
    .option('--half', 'with --onnx: products in float16, in a file of half the size')
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
  vitmim export results/ablation --weights hf --stage 0123abcd
  vitmim export results/ablation --onnx --cell objective=masked,seed=0 --out masked-onnx`,
    )
    .action(async (folder: string, options: Options) => {
      const { plan, rest } = choosePlans(sweepPaths(folder), planChoice(options));
      print(await exportAs(folder, plan, options));
      const notIncluded = describeRest(rest, folder);
      if (options.tensorboard !== undefined && notIncluded !== null) say(notIncluded);
    });
}

/** Writes the files that the options name, and returns their paths. */
async function exportAs(folder: string, plan: Plan, options: Options): Promise<string> {
  const { half = false } = options;
  if (options.onnx) {
    return exportOnnx(readExported(folder, plan, options), { half }, planChoice(options), options.out);
  }
  if (half) throw new UsageError('--half is an option of --onnx; add --onnx, or leave --half out');
  if (options.weights !== undefined) {
    return exportWeights(readExported(folder, plan, options), options.weights, planChoice(options), options.out);
  }
  if (options.tensorboard === undefined) {
    throw new UsageError('choose an export: --tensorboard, --weights timm, mae or hf, or --onnx');
  }
  const out = options.tensorboard === true ? join(folder, 'tensorboard') : options.tensorboard;
  const files = exportTensorboard(plan, folder, out);
  if (files.length === 0) throw new UsageError(`no stage in ${folder} has curves yet; run the sweep first`);
  say(`wrote ${files.length} event files; look at them with: tensorboard --logdir ${out}`);
  return out;
}
