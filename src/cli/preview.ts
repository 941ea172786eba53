/**
 * `vitmim preview`: what objectives do to an image, side by side: original, input, visible tokens, target, and what a
 * trained model makes of it. The kind of picture that the paper's figure 2 shows.
 */
import { Argument, Command } from 'commander';
import { IMAGE_KINDS } from '../data/formats/index.js';
import { OBJECTIVES } from '../spec/objective.js';
import { hinted } from './completion/hints.js';
import type { PreviewOptions } from './draw-preview.js';
import { deviceOption, positiveInteger } from './options.js';

const WHAT = `objectives (${OBJECTIVES.slice(2, 7).join(', ')}, …, joined by +), or one spec file`;

export function previewCommand(): Command {
  return new Command('preview')
    .description('draw the effect of objectives on images: original, input, visible tokens, target and reconstruction')
    .addArgument(hinted(new Argument('[what...]', WHAT), { words: OBJECTIVES, files: true }))
    .option('--image <file...>', `images, ${IMAGE_KINDS} (default: two generated ones)`)
    .requiredOption('-o, --out <file.png>', 'the picture to write')
    .option('--npy <file.npy>', 'also write the panels as float32 [rows, panels, size, size, 3]')
    .option('--checkpoint <stage folder>', 'a finished pre-training, whose reconstruction is added')
    .option('--image-size <px>', 'side of the input, if no spec or checkpoint gives it', positiveInteger, 224)
    .option('--patch-size <px>', 'side of a patch, if no spec or checkpoint gives it', positiveInteger, 16)
    .option('--seed <n>', 'seed of the random draws', Number, 0)
    .addOption(deviceOption())
    .addHelpText(
      'after',
      `
Examples:
  vitmim preview zoomed-in zoomed-out distorted blurred decolorized --image photo.jpg --out figure2.png
  vitmim preview experiments/ablation.yaml --image photo.jpg --out ablation.png
  vitmim preview --checkpoint results/smoke/stages/0123456789abcdef --image photo.jpg --out rebuilt.png`,
    )
    .action(async (what: string[], options: PreviewOptions) => {
      const { drawPreview } = await import('./draw-preview.js'); // loads tfjs
      await drawPreview(what, options);
    });
}
