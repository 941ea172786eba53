/** `vitmim embed`: features of images, by the encoder of a stage or of a file of weights. */
import { Argument, Command, Option } from 'commander';
import { DECODE_MODES } from '../data/formats/format.js';
import { FEATURE_EXTENSIONS } from '../embedding/writers/index.js';
import { WEIGHTS_FORMATS } from '../spec/weights-formats.js';
import { hinted } from './completion/hints.js';
import type { EmbedCommandOptions } from './embed-images.js';
import { deviceOption, planOptions, positiveInteger, stageOptions } from './options.js';

export function embedCommand(finish: (code: number) => void): Command {
  const command = new Command('embed')
    .description('compute features of images, by the encoder of a stage or of a file of weights')
    .addArgument(hinted(new Argument('<image...>', 'images, or folders of images'), { words: [], files: true }))
    .addOption(
      new Option('--results <folder>', 'the results folder with the stage whose encoder computes them').conflicts(
        'weights',
      ),
    );
  for (const option of [...stageOptions(), ...planOptions()]) command.addOption(option);
  return command
    .option('--weights <file>', 'a safetensors file of vitmim, timm, MAE or Hugging Face, in place of a stage')
    .addOption(
      new Option('--format <format>', 'the program that wrote the weights').choices(['auto', ...WEIGHTS_FORMATS]),
    )
    .requiredOption('-o, --out <file>', `the file to write; its ending is its format: ${FEATURE_EXTENSIONS}`)
    .option('--tokens', 'all tokens of the encoder, the class token first, in place of one vector for each image')
    .addOption(
      new Option('--corrupt <how>', 'a file that cannot be decoded ends the command, or is left out and named')
        .choices(['fail', 'skip'])
        .default('fail'),
    )
    .addOption(
      new Option('--decode <how>', "how files become pixels, as data.decode (default: the stage's)").choices(
        DECODE_MODES,
      ),
    )
    .addOption(deviceOption())
    .option('--threads <n>', 'threads, for reading images and for device simd (default: all cores)', positiveInteger)
    .addHelpText(
      'after',
      `
Images are resized, cropped and normalised as in evaluations. The features are the inputs of the linear probe: the class token
or the mean of the normalised patch tokens, by model.pooling; of a fine-tuning, the values that its head reads.

Examples:
  vitmim embed photos/ --results results/ablation --cell objective=masked,seed=0 --kind pretrain --out features.npy
  vitmim embed photos/ --weights vit-mae-base.safetensors --out features.csv
  vitmim embed a.jpg b.jpg --results results/ablation --stage 0123abcd --tokens --out tokens.npy`,
    )
    .action(async (images: string[], options: EmbedCommandOptions) => {
      const { embedImages } = await import('./embed-images.js'); // loads tfjs
      finish(await embedImages(images, options));
    });
}
