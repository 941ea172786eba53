/** `vitmim train`: one stage in this process. It is what the workers of a sweep run. */
import { Command, Option } from 'commander';
import { environmentProblem } from '../common/environment.js';
import { endProcess } from './end-process.js';
import { deviceOption, jsonOption, positiveNumber, threadsOption } from './options.js';
import { printJson } from './terminal.js';
import type { TrainOptions } from './train-stage.js';

export function trainCommand(finish: (code: number) => void): Command {
  return new Command('train')
    .description('run one stage in this process, from its last checkpoint if there is one')
    .argument('<stage.json>', 'the stage, in its folder; the folder of its parent is beside it')
    .addOption(deviceOption())
    .addOption(threadsOption('all cores'))
    .addOption(checkpointOption())
    .addOption(new Option('--claim <id>', 'the claim a sweep holds on the stage; ends with the sweep').hideHelp())
    .option('--origin <file>', 'provenance that the sweep recorded (default: read from git now)')
    .addOption(noDiffOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  vitmim train results/smoke/stages/0123456789abcdef/stage.json --device simd')
    .action(async (file: string, options: TrainOptions) => {
      const { trainStage } = await import('./train-stage.js').catch((error: unknown) => {
        // This cannot work on another attempt, so the sweep must not try it again.
        const problem = environmentProblem(error);
        if (problem !== null && options.json) printJson({ type: 'failed', cause: 'invalid', reason: problem.message });
        throw error;
      });
      const code = await trainStage(file, options);
      finish(code);
      // A read that never returns would keep the process alive.
      setTimeout(() => endProcess(code), LEAVE_WITHIN_MS).unref();
    });
}

/** The time that a worker has to end after its stage. */
const LEAVE_WITHIN_MS = 5000;

export const checkpointOption = (): Option =>
  new Option(
    '--checkpoint-minutes <n>',
    'longest time between two checkpoints; ends of epochs that take 5 s or more add others',
  )
    .argParser(positiveNumber)
    .default(10);

export const noDiffOption = (): Option =>
  new Option('--no-diff', 'do not store uncommitted changes with the results; their files are still named');
