/** The pixels of the clean image, normalised in one of three ways (PAPER.md §2; `ops/normalize-patches.ts`). */
import type { PatchNormalization } from '../../ops/normalize-patches.js';
import type { TargetEntry } from '../entry.js';

export const normalizedPatchesByChannel = pixelTarget(
  'patch-channel',
  'pixels normalised per patch and channel (the paper)',
);
export const normalizedPatches = pixelTarget('patch', 'pixels normalised per patch (MAE)');
export const pixels = pixelTarget('none', 'ImageNet-normalised pixels');

function pixelTarget<Name extends PatchNormalization>(name: Name, description: string): TargetEntry<Name> {
  return {
    name,
    description,
    width: (patchSize) => 3 * patchSize ** 2,
    pixels: name,
    compute: ({ ops }, images, patchSize) => ops.normalizePatches(images, patchSize, name),
    layOut: ({ ops }, tokens, patchSize) => ops.unpatchify(tokens, patchSize),
    toPicture: ({ ops }, prediction, picture, patchSize) =>
      ops.denormalizePatches(prediction, picture, patchSize, name),
  };
}
