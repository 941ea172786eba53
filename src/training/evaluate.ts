/** Deterministic evaluation: no augmentation, no random draw, every image of the test set once. */
import * as tf from '@tensorflow/tfjs';
import type { ByteImage } from '../common/image.js';
import type { View } from '../common/view.js';
import { evaluationView } from '../data/augment.js';
import { wholeView } from '../data/augmentations/augment.js';
import { evaluationBatches, prefetch } from '../data/batches.js';
import { countWork } from '../common/work.js';
import type { Split } from '../data/split.js';
import { normalizedBatch } from './inputs.js';

/**
 * Images in a forward pass. Without gradients little memory is needed; larger batches are not faster on a processor.
 */
const BATCH = 128;

/** What a model gives for some images of a split. */
export interface Outputs<Target> {
  /** [targets.length, …], row-major. */
  values: Float32Array;
  /** Of each image that was decoded. */
  targets: Target[];
}

/**
 * Computes the view that the model sees in place of the evaluation's, by the index of the image in its split. Releases
 * the memory of the image.
 */
export type ChangeOfView = (image: ByteImage, index: number) => Promise<ByteImage>;

/**
 * Applies a model to every image of a split, as in an evaluation, a batch at a time. Each image that can be decoded
 * counts once; the others are not replaced.
 *
 * @param change Computes other views; by default the model sees those of an evaluation.
 * @param model Maps [batch, size, size, 3], ImageNet-normalised, to [batch, …].
 * @throws TrainingError if too few images can be decoded, see `data/split.ts`.
 */
export async function* outputsOf<Target>(
  split: Pick<Split<Target>, 'length' | 'read'>,
  imageSize: number,
  model: (images: tf.Tensor4D) => tf.Tensor,
  change?: ChangeOfView,
): AsyncGenerator<Outputs<Target>, void> {
  const prepare = async (indices: Int32Array) => {
    const read = await Promise.all(
      Array.from(indices, async (index) => {
        const sample = await split.read(index);
        return sample === null ? [] : [{ ...sample, index }];
      }),
    );
    const decoded = read.flat();
    if (decoded.length === 0) return null;
    const viewOf = async (image: ByteImage, index: number): Promise<View> =>
      change === undefined ? evaluationView(image, imageSize) : wholeView(await change(image, index));
    return normalizedBatch(
      decoded.map(async ({ image, target, index }) => ({ view: await viewOf(image, index), patches: [], target })),
      imageSize,
    );
  };
  const discard = (batch: Awaited<ReturnType<typeof prepare>>): void => {
    batch?.images.dispose();
  };
  for await (const batch of prefetch(evaluationBatches(split.length, BATCH), prepare, { discard })) {
    if (batch === null) continue;
    yield { values: await outputValues(model, batch.images), targets: batch.targets };
  }
}

/** The values of a model on a batch, which is then released. */
export async function outputValues(
  model: (images: tf.Tensor4D) => tf.Tensor,
  images: tf.Tensor4D,
): Promise<Float32Array> {
  let output: tf.Tensor | undefined;
  try {
    output = tf.tidy(() => model(images));
    const values = Float32Array.from(await output.data<'float32'>());
    countWork();
    return values;
  } finally {
    tf.dispose(output === undefined ? [images] : [images, output]);
  }
}

/**
 * {@link outputsOf} for a model with one row of values for each image, of the whole split at once.
 *
 * @returns The outputs [images, width], row-major, and the target of each of these images.
 * @throws TrainingError: see {@link outputsOf}.
 */
export async function applyToSplit<Target>(
  split: Split<Target>,
  imageSize: number,
  model: (images: tf.Tensor4D) => tf.Tensor2D,
  change?: ChangeOfView,
): Promise<{ outputs: Float32Array; targets: Target[]; width: number }> {
  const targets: Target[] = [];
  const rows: Float32Array[] = [];
  for await (const batch of outputsOf(split, imageSize, model, change)) {
    rows.push(batch.values);
    targets.push(...batch.targets);
  }
  const outputs = joinArrays(rows);
  return { outputs, targets, width: targets.length === 0 ? 0 : outputs.length / targets.length };
}

/** Arrays one after another. */
export function joinArrays(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Accuracies of scores, in percent. Among equal scores, the lower class counts as higher. The mean per class is the
 * mean of the recalls of the classes that have images: the balanced accuracy.
 */
export function accuracies(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): { accuracy: number; top5: number | null; meanPerClass: number } {
  let [first, fifth] = [0, 0];
  const ofClass = Array.from({ length: classes }, () => ({ images: 0, right: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    const own = scores[i * classes + label]!;
    let above = 0;
    for (let c = 0; c < classes; c++) {
      const other = scores[i * classes + c]!;
      // A NaN score must never count as right.
      if (!(other < own) && c !== label && (other !== own || c < label)) above += 1;
    }
    const right = above < 1 && !Number.isNaN(own);
    if (right) first += 1;
    ofClass[label]!.images += 1;
    if (right) ofClass[label]!.right += 1;
    if (above < 5 && !Number.isNaN(own)) fifth += 1;
  }
  const percent = (count: number): number => (100 * count) / labels.length;
  const recalls = ofClass.filter(({ images }) => images > 0).map(({ images, right }) => (100 * right) / images);
  const meanPerClass = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
  return { accuracy: percent(first), top5: classes > 5 ? percent(fifth) : null, meanPerClass };
}
