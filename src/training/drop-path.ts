/** Stochastic depth: residual branches are dropped per image, with a rate that grows with depth. */
import * as tf from '@tensorflow/tfjs';
import type { Random } from '../common/random.js';
import type { DropPath } from '../model/vit.js';

/**
 * Draws the factors of one forward pass: block i of n drops each of its two branches with rate r = rate·i/(n − 1), as
 * in timm, and scales the kept ones by 1/(1 − r). The first block, or the only one, drops nothing.
 *
 * @param rate Of the last of several blocks, in [0, 1).
 */
export function drawDropPath(rate: number, depth: number, batch: number, random: Random): DropPath {
  if (rate === 0) return null;
  return Array.from({ length: 2 * depth }, (_, branch) => {
    const own = depth === 1 ? 0 : (rate * Math.floor(branch / 2)) / (depth - 1);
    if (own === 0) return null;
    return tf.tensor1d(Float32Array.from({ length: batch }, () => (random.uniform() < own ? 0 : 1 / (1 - own))));
  });
}

/** The tensors that {@link drawDropPath} drew. Which branches have one depends only on the rate and the depth. */
export function dropPathTensors(dropPath: DropPath): tf.Tensor[] {
  return (dropPath ?? []).filter((factors) => factors !== null);
}
