/**
 * The losses: squared error between tokens, and cross-entropy against label distributions and of pixels. All are means.
 */
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const squaredError = defineOp({
  name: 'VitSquaredError',
  forward([prediction], [target, weights]) {
    const perToken = tf.mean(tf.square(tf.sub(prediction!, target!)), -1);
    return { output: tf.div(tf.sum(tf.mul(perToken, weights!)), tf.sum(weights!)), saved: [] };
  },
  backward(dy, { inputs: [prediction], constants: [target, weights] }) {
    const values = prediction!.shape.at(-1)!;
    const scale = tf.div(tf.mul(dy, 2 / values), tf.sum(weights!));
    return [tf.mul(tf.sub(prediction!, target!), tf.expandDims(tf.mul(weights!, scale), -1))];
  },
});

/**
 * Mean squared error over the values of each token, averaged over the tokens by weight.
 *
 * @param prediction [batch, tokens, values]
 * @param target [batch, tokens, values]; gets no gradient
 * @param weights [batch, tokens], not negative and not all 0: 1 for each token that counts
 * @returns scalar
 */
export function tokenSquaredError(prediction: tf.Tensor3D, target: tf.Tensor3D, weights: tf.Tensor2D): tf.Scalar {
  return squaredError([prediction], [target, weights], {}) as tf.Scalar;
}

const crossEntropy = defineOp({
  name: 'VitSoftmaxCrossEntropy',
  forward([logits], [target]) {
    const logProbabilities = tf.logSoftmax(logits as tf.Tensor2D);
    const batch = logits!.shape[0];
    return {
      output: tf.mul(tf.sum(tf.mul(target!, logProbabilities)), -1 / batch),
      saved: [logProbabilities],
    };
  },
  backward(dy, { inputs: [logits], constants: [target], saved: [logProbabilities] }) {
    const difference = tf.sub(tf.exp(logProbabilities!), target!);
    return [tf.mul(difference, tf.mul(dy, 1 / logits!.shape[0]))];
  },
});

/**
 * −Σ target·log softmax(logits), averaged over the batch.
 *
 * @param logits [batch, classes]
 * @param target [batch, classes]: each row a distribution (sums to 1); gets no gradient
 * @returns scalar
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, target: tf.Tensor2D): tf.Scalar {
  return crossEntropy([logits], [target], {}) as tf.Scalar;
}

const pixelEntropy = defineOp({
  name: 'VitPixelCrossEntropy',
  forward([logits], [labels]) {
    const { target, counted } = targetsOf(logits!, labels!);
    const logProbabilities = tf.logSoftmax(logits as tf.Tensor2D);
    return { output: tf.div(tf.neg(tf.sum(tf.mul(target, logProbabilities))), counted), saved: [logProbabilities] };
  },
  backward(dy, { inputs: [logits], constants: [labels], saved: [logProbabilities] }) {
    const { target, counted } = targetsOf(logits!, labels!);
    const share = tf.mul(tf.exp(logProbabilities!), tf.sum(target, 1, true));
    return [tf.mul(tf.sub(share, target), tf.div(dy, counted))];
  },
});

/** Rows with a 1 at the label, and of zeros without a label; and the number of rows with a label, at least 1. */
function targetsOf(logits: tf.Tensor, labels: tf.Tensor): { target: tf.Tensor; counted: tf.Tensor } {
  const target = tf.oneHot(labels, logits.shape[1]!, 1, 0, 'float32');
  return { target, counted: tf.maximum(tf.sum(target), 1) };
}

/**
 * −log softmax(logits) at the label, averaged over the pixels that have one; 0 if none has one. PyTorch's
 * `cross_entropy` with `ignore_index`.
 *
 * @param logits [pixels, classes]
 * @param labels [pixels], int32: a class, or −1 for a pixel that does not count
 * @returns scalar
 */
export function pixelCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  return pixelEntropy([logits], [labels], {}) as tf.Scalar;
}
