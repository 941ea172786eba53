/**
 * Boxes of normalised images with other values, such as the noise of random erasing. Every device gets the same values:
 * they are drawn on the processor, and only those of the boxes are uploaded.
 */
import * as tf from '@tensorflow/tfjs';
import type { FloatImage } from '../common/image.js';
import type { Patch } from '../data/augmentations/augmentation.js';
import { roomFor } from '../ops/index.js';

/** Replaces the boxes of one image, in place. */
export function pastePatches({ data, width: side }: FloatImage, patches: readonly Patch[]): void {
  for (const { top, left, height, width, values } of patches) {
    for (let row = 0; row < height; row++) {
      data.set(values.subarray(row * width * 3, (row + 1) * width * 3), ((top + row) * side + left) * 3);
    }
  }
}

/**
 * {@link pastePatches} for images on the device. May return the input tensor itself.
 *
 * @param images [batch, height, width, 3]
 * @param patches Of each image.
 */
export function patchTensor(images: tf.Tensor4D, patches: readonly (readonly Patch[])[]): tf.Tensor4D {
  // The boxes of an image may overlap: the first ones of all images are pasted, then the second ones.
  const rounds = Math.max(...patches.map(({ length }) => length));
  return tf.tidy(() => {
    let patched = images;
    for (let round = 0; round < rounds; round++) {
      patched = patchEach(
        patched,
        patches.map((own) => own[round]),
      );
    }
    return patched;
  });
}

/** Replaces at most one box of each image. */
function patchEach(images: tf.Tensor4D, patches: readonly (Patch | undefined)[]): tf.Tensor4D {
  const [, height, width] = images.shape;
  const pixels = patches.reduce((sum, patch) => sum + (patch ? patch.height * patch.width : 0), 0);
  // Devices use buffers again for equal lengths, and the number of pixels differs in every step. The rest of the room
  // repeats the last pixel.
  const room = roomFor(pixels);
  const places = new Int32Array(room);
  const values = new Float32Array(3 * room);
  let filled = 0;
  for (const [b, patch] of patches.entries()) {
    if (!patch) continue;
    values.set(patch.values, 3 * filled);
    for (let row = 0; row < patch.height; row++) {
      const start = (b * height + patch.top + row) * width + patch.left;
      for (let column = 0; column < patch.width; column++) places[filled++] = start + column;
    }
  }
  places.fill(places[pixels - 1]!, pixels);
  for (let i = pixels; i < room; i++) values.copyWithin(3 * i, 3 * (pixels - 1), 3 * pixels);
  const flat = tf.reshape(images, [-1, 3]);
  const pasted = tf.tensorScatterUpdate(flat, tf.tensor2d(places, [room, 1]), tf.tensor2d(values, [room, 3]));
  return tf.reshape(pasted, images.shape);
}
