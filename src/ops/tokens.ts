/**
 * Removes tokens before the encoder, and restores them before the decoder with a mask token in each removed position.
 */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

/**
 * Which tokens of a batch are kept: the same number for every image, but different ones.
 *
 * Both tables are row indices of the flattened batch, so that gathering and its gradient are the same operation. An
 * index occurs at most once, so the gradient needs no sums and runs on backends without a scatter kernel.
 */
export interface TokenSelection {
  readonly batch: number;
  readonly tokens: number;
  readonly kept: number;
  /** [batch·kept] int32: the row of each kept token among batch·tokens. */
  readonly rows: tf.Tensor1D;
  /** [batch·tokens] int32: the row of each token among the kept ones; batch·kept if it was removed. */
  readonly places: tf.Tensor1D;
  /** [batch, tokens] float32: 1 if a token was removed. */
  readonly removed: tf.Tensor2D;
}

/**
 * Uploads a selection.
 *
 * @param keptOf For each image the indices of its kept tokens, in the order of the encoder's input; the same number for
 * each.
 */
export function tokenSelection(keptOf: readonly Int32Array[], tokens: number): TokenSelection {
  const batch = keptOf.length;
  const kept = keptOf[0]!.length;
  const rows = new Int32Array(batch * kept);
  const places = new Int32Array(batch * tokens).fill(batch * kept);
  keptOf.forEach((indices, image) => {
    indices.forEach((token, i) => {
      rows[image * kept + i] = image * tokens + token;
      places[image * tokens + token] = image * kept + i;
    });
  });
  const removed = Float32Array.from(places, (place) => Number(place === batch * kept));
  return {
    batch,
    tokens,
    kept,
    rows: tf.tensor1d(rows, 'int32'),
    places: tf.tensor1d(places, 'int32'),
    removed: tf.tensor2d(removed, [batch, tokens]),
  };
}

const withRow = (rows: tf.Tensor, last: tf.Tensor): tf.Tensor => tf.concat([rows, tf.reshape(last, [1, -1])], 0);
const withZeroRow = (rows: tf.Tensor): tf.Tensor => withRow(rows, tf.zeros([rows.shape[1]!]));

/** Constants of both ops: rows, places, removed. */
const tables = ({ rows, places, removed }: TokenSelection): tf.Tensor[] => [rows, places, removed];

const gather = defineOp({
  name: 'VitGatherTokens',
  forward: ([x], [rows]) => ({ output: tf.gather(x!, rows as tf.Tensor1D), saved: [] }),
  backward: (dy, { constants: [, places] }) => [tf.gather(withZeroRow(dy), places as tf.Tensor1D)],
});

const restore = defineOp({
  name: 'VitRestoreTokens',
  forward: ([x, maskToken], [, places]) => ({
    output: tf.gather(withRow(x!, maskToken!), places as tf.Tensor1D),
    saved: [],
  }),
  backward(dy, { constants: [rows, , removed] }) {
    return [tf.gather(dy, rows as tf.Tensor1D), tf.sum(tf.mul(dy, tf.reshape(removed!, [-1, 1])), 0)];
  },
});

/**
 * Keeps the selected tokens.
 *
 * @param x [batch, tokens, dim]
 * @returns [batch, kept, dim]
 */
export function gatherTokens(x: tf.Tensor3D, selection: TokenSelection): tf.Tensor3D {
  const { batch, tokens, kept } = selection;
  return tf.reshape(gather([tf.reshape(x, [batch * tokens, -1])], tables(selection), {}), [batch, kept, -1]);
}

/**
 * Puts kept tokens back in their positions, and the mask token in all other positions.
 *
 * @param x [batch, kept, dim]
 * @param maskToken [dim]
 * @returns [batch, tokens, dim]
 */
export function restoreTokens(x: tf.Tensor3D, maskToken: tf.Tensor, selection: TokenSelection): tf.Tensor3D {
  const { batch, tokens, kept } = selection;
  return tf.reshape(restore([tf.reshape(x, [batch * kept, -1]), maskToken], tables(selection), {}), [
    batch,
    tokens,
    -1,
  ]);
}
