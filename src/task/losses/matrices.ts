/** The fixed matrices of the losses, in the form of `ops.resample`: one for a whole batch, or one for each image. */
import type * as tf from '@tensorflow/tfjs';
import { denseMatrix } from '../../common/resample.js';
import type { Tensors } from '../tensors.js';

/** Area resampling of one axis: [1, output, input]. */
export function areaMatrix({ tf }: Tensors, input: number, output: number): tf.Tensor3D {
  return tf.tensor3d(denseMatrix('area', input, output), [1, output, input]);
}

/** Area resampling of square images: [B, F, F, C] → [B, size, size, C]. */
export function areaResample(tensors: Tensors, images: tf.Tensor4D, size: number): tf.Tensor4D {
  if (images.shape[1] === size) return images;
  const matrix = areaMatrix(tensors, images.shape[1], size);
  return tensors.ops.resample(images, matrix, matrix);
}

/**
 * Counts along one axis, for each image: the number of `input` positions in each of `cells` equal cells that map to
 * each of `output` pixels.
 *
 * @param pixelOf The output pixel of an input position of an image; outside 0 … output − 1 it is not counted.
 * @returns [images, output, cells]
 */
export function countMatrix(
  { tf }: Tensors,
  { images, output, input, cells }: { images: number; output: number; input: number; cells: number },
  pixelOf: (image: number, position: number) => number,
): tf.Tensor3D {
  const counts = new Float32Array(images * output * cells);
  for (let image = 0; image < images; image++) {
    for (let i = 0; i < input; i++) {
      const pixel = pixelOf(image, i);
      if (pixel < 0 || pixel >= output) continue;
      counts[(image * output + pixel) * cells + Math.floor((i * cells) / input)]! += 1;
    }
  }
  return tf.tensor3d(counts, [images, output, cells]);
}
