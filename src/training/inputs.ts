/**
 * From drawn views to tensors, in one of two ways. If the device has a kernel for views, bytes are uploaded and the
 * device does the rest, a batch at a time. Otherwise images are converted to arrays one by one, as they are read, and
 * uploaded in floating point.
 */
import * as tf from '@tensorflow/tfjs';
import { normalizeImage, type FloatImage } from '../common/image.js';
import { viewPixels, type View } from '../common/view.js';
import { inWorkingMemory } from '../common/working-memory.js';
import type { Batch, Draw, Objective, Seen } from '../objectives/compose.js';
import { cropViews, hasCropKernel, mixColours, NORMALIZE } from '../ops/index.js';
import { mixImages, mixTensor, type Mix } from './mixing.js';
import { pastePatches, patchTensor } from './patches.js';
import type { TargetedView } from './views.js';

/**
 * The ImageNet-normalised images of a batch with their patches, mixed as drawn.
 *
 * @param reading views of size × size, at least one
 * @returns images [batch, size, size, 3], and the target of each
 */
export async function normalizedBatch<Target>(
  reading: readonly Promise<TargetedView<Target>>[],
  size: number,
  mix: Mix = { kind: 'none' },
): Promise<{ images: tf.Tensor4D; targets: Target[] }> {
  if (hasCropKernel()) {
    const read = await Promise.all(reading);
    return {
      images: tf.tidy(() => {
        const normalized = mixColours(uploaded(read), [NORMALIZE]);
        const patches = read.map((sample) => sample.patches);
        return mixTensor(patchTensor(normalized, patches), mix);
      }),
      targets: read.map(({ target }) => target),
    };
  }
  const length = size * size * 3;
  const pixels = new Float32Array(reading.length * length);
  const targets = await Promise.all(
    reading.map(async (sample, i) => {
      const { view, patches, target } = await sample;
      inWorkingMemory(() => {
        const image = normalizeImage(made(view));
        pastePatches(image, patches);
        pixels.set(image.data, i * length);
      });
      return target;
    }),
  );
  mixImages(pixels, reading.length, size, mix);
  return { images: tf.tensor4d(pixels, [reading.length, size, size, 3]), targets };
}

/** The views of a batch, each degraded as drawn, on the device. The caller disposes of the batch. */
export async function degradedBatch(
  objective: Objective,
  reading: readonly Promise<{ readonly view: View; readonly draw: Draw }>[],
): Promise<Batch> {
  if (hasCropKernel()) {
    const read = await Promise.all(reading);
    const fields = uploaded(read);
    return objective.applyToBatch(
      fields,
      read.map(({ draw }) => draw),
    );
  }
  const [inputLength, fieldLength] = [objective.imageSize ** 2 * 3, objective.fieldSize ** 2 * 3];
  const inputs = new Float32Array(reading.length * inputLength);
  const fields = new Float32Array(reading.length * fieldLength);
  const images = reading.map(async (drawn, i): Promise<Seen> => {
    const { view, draw } = await drawn;
    return inWorkingMemory(() => {
      const { input, field, kept, placement } = objective.apply(made(view), draw);
      inputs.set(input.data, i * inputLength);
      fields.set(field.data, i * fieldLength);
      return { kept, placement };
    });
  });
  return objective.batchOf({ inputs, fields }, await Promise.all(images));
}

/** The views on the device. Releases the memory of their images. */
function uploaded(drawn: readonly { readonly view: View }[]): tf.Tensor4D {
  const views = drawn.map(({ view }) => view);
  const cropped = cropViews(views);
  for (const { image } of views) image.release?.();
  return cropped;
}

/** The pixels of a view. Releases the memory of its image. */
function made(view: View): FloatImage {
  const pixels = viewPixels(view);
  view.image.release?.();
  return pixels;
}
