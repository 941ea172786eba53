/**
 * Zoomed-out (b): the input is a canvas with the content somewhere in it and mirror images of it around, and the model
 * has to predict the content at full size (PAPER.md §4.4). The losses are elsewhere.
 */
import * as tf from '@tensorflow/tfjs';
import { normalizeImage, type FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import { mixColours, NORMALIZE, pickPixels } from '../ops/index.js';
import type { Geometry } from '../spec/task.js';
import type { GeometryPart, Placement } from './parts.js';
import { contentSize } from '../spec/sizes.js';

/** Draws each offset uniformly from 0 … canvas − content − 1, so that at least one row and column follow the content. */
export function drawPlacement(canvas: number, content: number, random: Random): Placement {
  const room = canvas - content;
  const left = random.integer(room);
  return { left, top: random.integer(room) };
}

/**
 * The content pixel seen at signed position `i` (0 is the first content pixel) when `size` pixels are mirrored with
 * their edges repeated, as often as it takes: … 1 0 | 0 1 … n−1 | n−1 n−2 …
 */
export function mirrorIndex(i: number, size: number): number {
  const period = 2 * size;
  const phase = ((i % period) + period) % period;
  return phase < size ? phase : period - 1 - phase;
}

/** Places a square image in a square canvas and mirrors it on all sides and corners: NumPy's `symmetric` padding. */
export function mirrorPad(content: FloatImage, { left, top }: Placement, canvas: number): FloatImage {
  const size = content.width;
  const columns = Int32Array.from({ length: canvas }, (_, x) => 3 * mirrorIndex(x - left, size));
  const data = new Float32Array(canvas * canvas * 3);
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

/** {@link mirrorPad} of each image, as it is placed: [B, size, size, 3] → [B, canvas, canvas, 3] */
function mirrorPadBatch(content: tf.Tensor4D, placements: readonly Placement[], canvas: number): tf.Tensor4D {
  const size = content.shape[1];
  const sources = (axis: 'left' | 'top'): tf.Tensor2D => {
    const indices = placements.flatMap((placement) =>
      Array.from({ length: canvas }, (_, i) => mirrorIndex(i - placement[axis], size)),
    );
    return tf.tensor2d(indices, [placements.length, canvas], 'int32');
  };
  return pickPixels(content, sources('top'), sources('left'));
}

export function zoomedOut(
  geometry: Extract<Geometry, { kind: 'zoomed-out' }>,
  imageSize: number,
): GeometryPart<{ readonly placement: Placement }> {
  const content = contentSize(geometry.fraction, imageSize);
  return {
    fieldSize: content,
    draw: (random) => ({ placement: drawPlacement(imageSize, content, random) }),
    move: (field, { placement }) => mirrorPad(normalizeImage(field), placement, imageSize),
    moveBatch(fields, draws) {
      const placements = draws.map(({ placement }) => placement);
      return mirrorPadBatch(mixColours(fields, [NORMALIZE]), placements, imageSize);
    },
  };
}
