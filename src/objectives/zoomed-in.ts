/**
 * Zoomed-in (a): the input shows the centre of a field that the model has to predict whole (PAPER.md §4.1, §4.3). Two
 * inputs: the centre enlarged to the size of the field, or the centre as it is. The losses are elsewhere.
 */
import { normalizeImage, type FloatImage } from '../common/image.js';
import { resampleImage } from '../common/resample.js';
import type { Geometry } from '../spec/task.js';
import type { GeometryPart } from './parts.js';
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

export function zoomedIn(geometry: Extract<Geometry, { kind: 'zoomed-in' }>, imageSize: number): GeometryPart {
  if (geometry.loss === 'field') {
    const window = windowSize(geometry.fraction, imageSize);
    return {
      fieldSize: imageSize,
      move: (field) => ({ image: normalizeImage(enlargeCentre(field, window, imageSize)), placement: null }),
    };
  }
  return {
    fieldSize: outerFieldSize(geometry.fraction, imageSize),
    move: (field) => ({ image: normalizeImage(cropCentre(field, imageSize)), placement: null }),
  };
}
