/**
 * Zoomed-out (b): the input is a canvas with the content at a random position and mirror images around it; the model
 * predicts the content at full size (PAPER.md §4.4).
 */
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { normalizeImage, type FloatImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';
import { fraction } from '../../common/values.js';
import { newPixels } from '../../common/working-memory.js';
import type { GeometryEntry, Placement } from '../entry.js';
import { mappedBackLoss } from '../losses/mapped-back.js';
import { sameGridLoss } from '../losses/same-grid.js';
import { mirrorIndex } from '../mirror.js';
import type { Tensors } from '../tensors.js';
import { zoomConflict, zoomSize } from '../zoom.js';

export interface ZoomedOut {
  kind: 'zoomed-out';
  /** Linear fraction of the canvas that holds the content: 160/224. */
  fraction: number;
}

const strengths = z.strictObject({
  fraction: fraction.prefault('160/224').describe('Linear fraction of the canvas that holds the content.'),
});

export const zoomedOut: GeometryEntry<'zoomed-out', typeof strengths, ZoomedOut, { readonly placement: Placement }> = {
  name: 'zoomed-out',
  description: 'the input shows the target smaller, with mirror images around it',
  strengths,
  resolve: ({ fraction: held }) => ({ kind: 'zoomed-out', fraction: held }),
  conflict: (geometry, { imageSize }) => zoomConflict('zoomed-out', () => contentSize(geometry.fraction, imageSize)),
  countsRemovedTokensOnly: () => true,
  part(geometry, imageSize) {
    const content = contentSize(geometry.fraction, imageSize);
    return {
      fieldSize: content,
      draw: (random) => ({ placement: drawPlacement(imageSize, content, random) }),
      move: (field, { placement }) => mirrorPad(normalizeImage(field), placement, imageSize),
      moveBatch(tensors, fields, draws) {
        const { ops } = tensors;
        const placements = draws.map(({ placement }) => placement);
        return mirrorPadBatch(tensors, ops.mixColours(fields, [ops.NORMALIZE]), placements, imageSize);
      },
    };
  },
  loss(tensors, geometry, context) {
    if (!context.masked) return sameGridLoss(tensors, context);
    return mappedBackLoss(tensors, { ...context, contentSize: contentSize(geometry.fraction, context.imageSize) });
  },
};

/** Side of the content that a zoom-out places in a canvas of `imageSize`: 160 in 224, 23 in 32. */
export function contentSize(held: number, imageSize: number): number {
  const size = Math.round(held * imageSize);
  return zoomSize(size >= 1 && size < imageSize, size, 'zoomed-out', held, imageSize);
}

/**
 * Draws each offset uniformly from 0 … canvas − content − 1, so that at least one row and column follow the content.
 */
export function drawPlacement(canvas: number, content: number, random: Random): Placement {
  const room = canvas - content;
  const left = random.integer(room);
  return { left, top: random.integer(room) };
}

/** Places a square image in a square canvas and mirrors it on all sides and corners: NumPy's `symmetric` padding. */
export function mirrorPad(content: FloatImage, { left, top }: Placement, canvas: number): FloatImage {
  const size = content.width;
  const columns = Int32Array.from({ length: canvas }, (_, x) => 3 * mirrorIndex(x - left, size));
  const data = newPixels(canvas * canvas * 3);
  let to = 0;
  for (let y = 0; y < canvas; y++) {
    const row = 3 * size * mirrorIndex(y - top, size);
    for (let x = 0; x < canvas; x++) {
      const from = row + columns[x]!;
      data[to] = content.data[from]!;
      data[to + 1] = content.data[from + 1]!;
      data[to + 2] = content.data[from + 2]!;
      to += 3;
    }
  }
  return { data, height: canvas, width: canvas };
}

/** {@link mirrorPad} of each image at its placement: [B, size, size, 3] → [B, canvas, canvas, 3] */
function mirrorPadBatch(
  { tf, ops }: Tensors,
  content: tf.Tensor4D,
  placements: readonly Placement[],
  canvas: number,
): tf.Tensor4D {
  const size = content.shape[1];
  const sources = (axis: 'left' | 'top'): tf.Tensor2D => {
    const indices = placements.flatMap((placement) =>
      Array.from({ length: canvas }, (_, i) => mirrorIndex(i - placement[axis], size)),
    );
    return tf.tensor2d(indices, [placements.length, canvas], 'int32');
  };
  return ops.pickPixels(content, sources('top'), sources('left'));
}
