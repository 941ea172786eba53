/** Mixing images and labels of a batch: label smoothing, mixup and cutmix as in timm. (PAPER.md §7) */
import * as tf from '@tensorflow/tfjs';
import { symmetricBeta, type Random } from '../common/random.js';

export interface MixOptions {
  classes: number;
  labelSmoothing: number;
  /** Parameters of the Beta distributions; 0 is off. */
  mixup: number;
  cutmix: number;
}

/** How one batch is mixed with itself in reverse order. */
export type Mix =
  | { kind: 'none' }
  | { kind: 'mixup'; lambda: number }
  | { kind: 'cutmix'; lambda: number; top: number; left: number; bottom: number; right: number };

/**
 * Draws how a whole batch is mixed; with both on, each at even odds.
 *
 * For cutmix the box covers 1 − λ of the image before it is clipped at the border; λ is then the share that is actually
 * left.
 */
export function drawMix(options: Pick<MixOptions, 'mixup' | 'cutmix'>, size: number, random: Random): Mix {
  const { mixup, cutmix } = options;
  if (mixup === 0 && cutmix === 0) return { kind: 'none' };
  const useCutmix = cutmix > 0 && (mixup === 0 || random.uniform() < 0.5);
  if (!useCutmix) return { kind: 'mixup', lambda: symmetricBeta(mixup, random) };
  const share = symmetricBeta(cutmix, random);
  return cutmixBox(size, share, random.integer(size), random.integer(size));
}

/**
 * The box of cutmix as in timm: its side is ⌊size·√(1 − λ)⌋, and it ends at the border. A box with an odd side extends
 * one pixel further down and right of its centre than up and left.
 *
 * @param lambda share of the image that should remain, in [0, 1]
 * @param row of the centre, in [0, size); `column` likewise
 * @returns the box with the share of the image that actually remains
 */
export function cutmixBox(size: number, lambda: number, row: number, column: number): Extract<Mix, { kind: 'cutmix' }> {
  const side = Math.floor(size * Math.sqrt(1 - lambda));
  const [before, after] = [Math.floor(side / 2), Math.ceil(side / 2)];
  const [top, bottom] = [Math.max(row - before, 0), Math.min(row + after, size)];
  const [left, right] = [Math.max(column - before, 0), Math.min(column + after, size)];
  return { kind: 'cutmix', lambda: 1 - ((bottom - top) * (right - left)) / size ** 2, top, left, bottom, right };
}

/**
 * Mixes each image with the one at the opposite position in the batch.
 *
 * @param images [batch, size, size, 3], changed in place
 */
export function mixImages(images: Float32Array, batch: number, size: number, mix: Mix): void {
  if (mix.kind === 'none') return;
  const stride = size * size * 3;
  const original = images.slice();
  for (let b = 0; b < batch; b++) {
    const own = b * stride;
    const other = (batch - 1 - b) * stride;
    if (mix.kind === 'mixup') {
      for (let i = 0; i < stride; i++) {
        images[own + i] = mix.lambda * original[own + i]! + (1 - mix.lambda) * original[other + i]!;
      }
    } else {
      for (let row = mix.top; row < mix.bottom; row++) {
        const from = (row * size + mix.left) * 3;
        const to = (row * size + mix.right) * 3;
        images.set(original.subarray(other + from, other + to), own + from);
      }
    }
  }
}

/** {@link mixImages} for images on the device, [batch, size, size, 3]. May return the input tensor itself. */
export function mixTensor(images: tf.Tensor4D, mix: Mix): tf.Tensor4D {
  if (mix.kind === 'none') return images;
  return tf.tidy(() => {
    const others = tf.reverse(images, 0);
    if (mix.kind === 'mixup') return tf.add(tf.mul(images, mix.lambda), tf.mul(others, 1 - mix.lambda));
    const pasted = tf.tensor4d(boxMask(images.shape[1], mix), [1, images.shape[1], images.shape[2], 1]);
    return tf.add(tf.mul(images, tf.sub(1, pasted)), tf.mul(others, pasted));
  });
}

/** 1 in the box, else 0: [size × size] */
function boxMask(size: number, { top, left, bottom, right }: Extract<Mix, { kind: 'cutmix' }>): Float32Array {
  const inside = (place: number, start: number, end: number): boolean => place >= start && place < end;
  return Float32Array.from({ length: size * size }, (_, i) =>
    Number(inside(Math.floor(i / size), top, bottom) && inside(i % size, left, right)),
  );
}

/**
 * Label distributions of a mixed batch: smoothed one-hot labels, mixed like the images.
 *
 * @returns [batch, classes], each row summing to 1
 */
export function mixLabels(
  labels: ArrayLike<number>,
  mix: Mix,
  { classes, labelSmoothing }: Pick<MixOptions, 'classes' | 'labelSmoothing'>,
): Float32Array {
  const batch = labels.length;
  const lambda = mix.kind === 'none' ? 1 : mix.lambda;
  const targets = new Float32Array(batch * classes).fill(labelSmoothing / classes);
  const add = (row: number, label: number, weight: number): void => {
    const at = row * classes + label;
    targets[at] = targets[at]! + weight * (1 - labelSmoothing);
  };
  for (let b = 0; b < batch; b++) {
    add(b, labels[b]!, lambda);
    add(b, labels[batch - 1 - b]!, 1 - lambda);
  }
  return targets;
}
