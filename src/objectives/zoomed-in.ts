/**
 * Zoomed-in (a): the input shows the centre of a field that the model has to predict whole (PAPER.md §4.1, §4.3). Two
 * inputs: the centre enlarged to the size of the field, or the centre as it is. The losses are elsewhere.
 */
import * as tf from '@tensorflow/tfjs';
import { normalizeImage, type FloatImage } from '../common/image.js';
import { denseMatrix, resampleImage } from '../common/resample.js';
import { mixColours, NORMALIZE, resample } from '../ops/index.js';
import type { Geometry } from '../spec/task.js';
import { drawNothing, type GeometryPart } from './parts.js';
import { outerFieldSize, windowSize } from '../spec/sizes.js';

/** The box of `size`² in the middle of an image. Both sides of the image have the parity of `size`. */
function centreBox(image: FloatImage, size: number) {
  return { top: (image.height - size) / 2, left: (image.width - size) / 2, height: size, width: size };
}

/** Enlarges the centre `window`² pixels of an image in [0, 1] to `size`², bicubic, clamped. */
export function enlargeCentre(image: FloatImage, window: number, size: number): FloatImage {
  return resampleImage(image, centreBox(image, window), size, size, 'bicubic');
}

/** Cuts the centre `size`² pixels out of an image. */
export function cropCentre(image: FloatImage, size: number): FloatImage {
  const { top, left } = centreBox(image, size);
  const data = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + size * 3), y * size * 3);
  }
  return { data, height: size, width: size };
}

/** {@link cropCentre} of each image. */
function cropCentreBatch(images: tf.Tensor4D, size: number): tf.Tensor4D {
  const start = (images.shape[1] - size) / 2;
  return tf.slice(images, [0, start, start, 0], [-1, size, size, 3]);
}

export function zoomedIn(geometry: Extract<Geometry, { kind: 'zoomed-in' }>, imageSize: number): GeometryPart {
  if (geometry.loss === 'field') {
    const window = windowSize(geometry.fraction, imageSize);
    return {
      fieldSize: imageSize,
      draw: drawNothing,
      move: (field) => normalizeImage(enlargeCentre(field, window, imageSize)),
      moveBatch(fields) {
        const matrix = tf.tensor3d(denseMatrix('bicubic', window, imageSize), [1, imageSize, window]);
        const enlarged = resample(cropCentreBatch(fields, window), matrix, matrix);
        return mixColours(tf.clipByValue(enlarged, 0, 1), [NORMALIZE]);
      },
    };
  }
  return {
    fieldSize: outerFieldSize(geometry.fraction, imageSize),
    draw: drawNothing,
    move: (field) => normalizeImage(cropCentre(field, imageSize)),
    moveBatch: (fields) => mixColours(cropCentreBatch(fields, imageSize), [NORMALIZE]),
  };
}
