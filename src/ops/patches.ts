/**
 * Conversion between images and tokens. A token lists its patch by (row, column, channel), channel fastest (PAPER.md
 * §2).
 */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

interface PatchGrid {
  patchSize: number;
  /** Patches along the height and along the width. */
  rows: number;
  columns: number;
}

function toPatches(images: tf.Tensor, { patchSize, rows, columns }: PatchGrid): tf.Tensor {
  // [B·rows, p, columns, p·3]: rank 4, since higher transposes are slow or missing on some backends
  const split = tf.reshape(images, [-1, patchSize, columns, patchSize * 3]);
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [-1, rows * columns, patchSize * patchSize * 3]);
}

function toImages(tokens: tf.Tensor, { patchSize, rows, columns }: PatchGrid): tf.Tensor {
  const split = tf.reshape(tokens, [-1, columns, patchSize, patchSize * 3]);
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [-1, rows * patchSize, columns * patchSize, 3]);
}

const patchifyOp = defineOp<PatchGrid>({
  name: 'VitPatchify',
  forward: ([images], _constants, grid) => ({ output: toPatches(images!, grid), saved: [] }),
  backward: (dy, _seen, grid) => [toImages(dy, grid)],
});

const unpatchifyOp = defineOp<PatchGrid>({
  name: 'VitUnpatchify',
  forward: ([tokens], _constants, grid) => ({ output: toImages(tokens!, grid), saved: [] }),
  backward: (dy, _seen, grid) => [toPatches(dy, grid)],
});

/**
 * Cuts images into patches.
 *
 * @param images [batch, height, width, 3]; both sides are multiples of patchSize
 * @returns [batch, tokens, patchSize²·3]
 */
export function patchify(images: tf.Tensor4D, patchSize: number): tf.Tensor3D {
  const [, height, width] = images.shape;
  const grid = { patchSize, rows: height / patchSize, columns: width / patchSize };
  return patchifyOp([images], [], grid) as tf.Tensor3D;
}

/**
 * Joins the patches of square images.
 *
 * @param tokens [batch, rows², patchSize²·3]
 * @returns [batch, rows·patchSize, rows·patchSize, 3]
 */
export function unpatchify(tokens: tf.Tensor3D, patchSize: number): tf.Tensor4D {
  const rows = Math.round(Math.sqrt(tokens.shape[1]));
  return unpatchifyOp([tokens], [], { patchSize, rows, columns: rows }) as tf.Tensor4D;
}
