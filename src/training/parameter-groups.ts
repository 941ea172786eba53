/** Which parameters have weight decay, and the learning-rate factors of the layers. */

/**
 * Decoupled weight decay of a parameter: 0 for vectors (biases, norms, mask and class tokens), the recipe's value for
 * matrices (PAPER.md §6).
 */
export function weightDecayOf(shape: readonly number[], weightDecay: number): number {
  return shape.length <= 1 ? 0 : weightDecay;
}

/**
 * Learning-rate factor of a parameter under layer-wise decay: decay^(depth + 1 − layer), with layer 0 for the
 * embeddings, i + 1 for block i, depth + 1 for the head and its norm (PAPER.md §7).
 */
export function layerScale(name: string, depth: number, layerDecay: number): number {
  return layerDecay ** (depth + 1 - layerOf(name, depth));
}

function layerOf(name: string, depth: number): number {
  const block = /^blocks\.(\d+)\./.exec(name);
  if (block) return Number(block[1]) + 1;
  return /^(patch_embed|pos_embed|cls_token)/.test(name) ? 0 : depth + 1;
}
