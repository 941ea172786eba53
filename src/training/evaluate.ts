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

/**
 * Computes the view that the model sees in place of the evaluation's, by the index of the image in its split. Releases the memory
 * of the image.
 */
export type ChangeOfView = (image: ByteImage, index: number) => Promise<ByteImage>;

/**
 * Applies a model to every image of a split, as in an evaluation. Each image that can be decoded counts once; the
 * others are not replaced.
 *
 * @param change Computes other views; by default the model sees those of an evaluation.
 * @param model Maps [batch, size, size, 3], ImageNet-normalised, to [batch, width].
 * @returns The outputs [images, width], row-major, and the target of each of these images.
 * @throws TrainingError if too few images can be decoded, see `data/split.ts`.
 */
export async function applyToSplit<Target>(
  split: Split<Target>,
  imageSize: number,
  model: (images: tf.Tensor4D) => tf.Tensor2D,
  change?: ChangeOfView,
): Promise<{ outputs: Float32Array; targets: Target[]; width: number }> {
  const targets: Target[] = [];
  const rows: Float32Array[] = [];
  let width = 0;
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
    const output = tf.tidy(() => model(batch.images));
    rows.push(Float32Array.from(await output.data()));
    countWork();
    targets.push(...batch.targets);
    width = output.shape[1];
    tf.dispose([batch.images, output]);
  }
  const outputs = new Float32Array(targets.length * width);
  let offset = 0;
  for (const part of rows) {
    outputs.set(part, offset);
    offset += part.length;
  }
  return { outputs, targets, width };
}

/**
 * Accuracies of scores, in percent. Among equal scores, the lower class counts as higher. The mean per class is that of
 * the recalls of the classes that have images: the balanced accuracy.
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
