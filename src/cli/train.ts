/** `vitmim train`: one stage in this process. It is what the workers of a sweep run. */
import { Command, Option } from 'commander';
import { deviceOption, jsonOption, positiveNumber, threadsOption } from './options.js';
import type { TrainOptions } from './train-stage.js';

export function trainCommand(finish: (code: number) => void): Command {
  return new Command('train')
    .description('run one stage in this process, from its last checkpoint where there is one')
    .argument('<stage.json>', 'the stage, in its folder; its parent lies in the folder beside')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(checkpointOption())
    .addOption(new Option('--claim <id>', 'the claim a sweep holds on the stage; ends with the sweep').hideHelp())
    .option('--origin <file>', 'what the sweep was run from, as it recorded that itself (default: found out here)')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  vitmim train results/smoke/stages/0123456789abcdef/stage.json --device simd')
    .action(async (file: string, options: TrainOptions) => {
      const { trainStage } = await import('./train-stage.js');
      finish(await trainStage(file, options));
      // A read that a disk never answers would keep the process, and no exit gets past it.
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), LEAVE_WITHIN_MS).unref();
    });
}

/** What a worker gets to end once its stage has ended. */
const LEAVE_WITHIN_MS = 5000;

export const checkpointOption = (): Option =>
  new Option('--checkpoint-minutes <n>', 'most minutes between two checkpoints; there is one after every epoch besides')
    .argParser(positiveNumber)
    .default(10);
