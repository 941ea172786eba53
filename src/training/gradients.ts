/** From a batch to the gradients of one step: accumulated over its parts, and clipped. */
import * as tf from '@tensorflow/tfjs';
import { accumulate, sumOfSquares } from '../ops/index.js';

/**
 * Mean loss over the parts of a batch and its gradient in each variable.
 *
 * Parts are differentiated one after another, so that only one part's activations are in memory.
 *
 * @param loss Mean loss of one part; all parts have the same size.
 */
export function meanGradients<Part>(
  parts: readonly Part[],
  loss: (part: Part) => tf.Scalar,
  variables: readonly tf.Variable[],
): { loss: tf.Scalar; gradients: tf.Tensor[] } {
  const scale = 1 / parts.length;
  return tf.tidy(() => {
    let total: { loss: tf.Scalar; gradients: tf.Tensor[] } | undefined;
    for (const part of parts) {
      const previous = total;
      total = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(part), [...variables]);
        const gradients = variables.map(({ name }) => {
          const gradient = grads[name];
          if (!gradient) throw new Error(`the loss does not depend on variable ${name}`);
          return gradient;
        });
        if (!previous) return { loss: value, gradients };
        return {
          loss: tf.add<tf.Scalar>(previous.loss, value),
          gradients: gradients.map((gradient, i) => tf.add(previous.gradients[i]!, gradient)),
        };
      });
      if (previous) tf.dispose([previous.loss, previous.gradients]);
    }
    if (!total) throw new Error('a batch has at least one part');
    if (parts.length === 1) return total;
    return {
      loss: tf.mul<tf.Scalar>(total.loss, scale),
      gradients: total.gradients.map((gradient) => tf.mul(gradient, scale)),
    };
  });
}

/** The L2 norm of all gradients together. */
export function globalNorm(gradients: readonly tf.Tensor[]): tf.Scalar {
  return tf.tidy(() => tf.sqrt(sumOfSquares(gradients)));
}

/** largest ← max(largest, value), in place: it stays in the same buffer, as a recorded step requires. */
export function raiseTo(largest: tf.Variable, value: tf.Scalar): void {
  tf.tidy(() => {
    accumulate(largest, tf.relu(tf.sub(value, largest)));
  });
}

/**
 * Scales gradients so that their global L2 norm is at most `limit`, as torch.nn.utils.clip_grad_norm_.
 *
 * @param known Their norm, if it has been computed.
 */
export function clipByGlobalNorm(gradients: readonly tf.Tensor[], limit: number, known?: tf.Scalar): tf.Tensor[] {
  return tf.tidy(() => {
    const norm = known ?? globalNorm(gradients);
    const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
    return gradients.map((gradient) => tf.mul(gradient, factor));
  });
}
