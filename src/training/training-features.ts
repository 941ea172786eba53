/** The features that heads are trained on: computed once, or in each epoch from other views of the images. */
import * as tf from '@tensorflow/tfjs';
import { evaluationBatches, prefetch } from '../data/batches.js';
import { joinArrays, outputValues } from './evaluate.js';
import { rowsAt, standardize, type FeatureSet } from './features.js';
import { normalizedBatch } from './inputs.js';
import type { TargetedView } from './views.js';

export interface TrainingFeatures {
  /** Images of an epoch. */
  readonly length: number;
  /** The images that could be decoded so far. */
  readonly decodable: number;
  /** Standardised features [indices, width] of images in an epoch, which the caller disposes of, and their classes. */
  batch(indices: Int32Array, epoch: number): Promise<{ features: tf.Tensor2D; labels: ArrayLike<number> }>;
  /** Standardises the features of other images in the same way, in place. Called when the training is over. */
  standardize(set: FeatureSet): void;
}

/**
 * Features that are computed once, standardised by the statistics of all of them. The set is changed in place.
 *
 * @param width The number of values that are standardised together; see {@link standardize}.
 */
export function fixedFeatures(set: FeatureSet, width = set.width): TrainingFeatures {
  const length = set.labels.length;
  return {
    length,
    decodable: length,
    batch: (indices) =>
      Promise.resolve({
        features: rowsAt(set, indices),
        labels: Array.from(indices, (index) => set.labels[index]!),
      }),
    standardize: standardize(set, width),
  };
}

export interface AugmentedOptions {
  readonly images: { readonly length: number; readonly decodable: number };
  /** Side of the images, in pixels. */
  readonly size: number;
  readonly view: (index: number, epoch: number) => Promise<TargetedView<number>>;
  readonly encode: (images: tf.Tensor4D) => tf.Tensor2D;
}

/** Images that are encoded at once. A batch of MAE's probe has 16,384. */
const ENCODED = 128;

/** Share of a batch in the running statistics, as in PyTorch. */
const MOMENTUM = 0.1;

/**
 * Features of augmented views, computed anew in each epoch. They pass a batch norm without parameters, as in MAE's
 * probe: in training it uses the statistics of the batch, and afterwards the running ones.
 */
export function augmentedFeatures({ images, size, view, encode }: AugmentedOptions): TrainingFeatures {
  const norm = new RunningNorm();
  return {
    length: images.length,
    get decodable() {
      return images.decodable;
    },
    async batch(indices, epoch) {
      const labels: number[] = [];
      const rows: Float32Array[] = [];
      const prepare = (places: Int32Array) =>
        normalizedBatch(
          Array.from(places, (place) => view(indices[place]!, epoch)),
          size,
        );
      const discard = (part: Awaited<ReturnType<typeof prepare>>): void => {
        part.images.dispose();
      };
      for await (const part of prefetch(evaluationBatches(indices.length, ENCODED), prepare, { discard })) {
        rows.push(await outputValues(encode, part.images));
        labels.push(...part.targets);
      }
      const features = joinArrays(rows);
      const width = features.length / labels.length;
      norm.train(features, width);
      return { features: tf.tensor2d(features, [labels.length, width]), labels };
    },
    standardize: (set) => {
      norm.evaluate(set);
    },
  };
}

const EPSILON = 1e-6;

/** PyTorch's `BatchNorm1d(affine=False, eps=1e-6)`. */
class RunningNorm {
  #means = new Float64Array();
  #variances = new Float64Array();

  /** Normalises the rows of a batch by their own statistics, in place, and includes them in the running ones. */
  train(rows: Float32Array, width: number): void {
    if (this.#means.length === 0) {
      this.#means = new Float64Array(width);
      this.#variances = new Float64Array(width).fill(1);
    }
    const count = rows.length / width;
    for (let j = 0; j < width; j++) {
      let mean = 0;
      for (let i = j; i < rows.length; i += width) mean += rows[i]! / count;
      let squares = 0;
      for (let i = j; i < rows.length; i += width) squares += (rows[i]! - mean) ** 2;
      const inverse = 1 / Math.sqrt(squares / count + EPSILON);
      for (let i = j; i < rows.length; i += width) rows[i] = (rows[i]! - mean) * inverse;
      // The running variance is the unbiased one. A batch of one image has none.
      const variance = count > 1 ? squares / (count - 1) : 0;
      this.#means[j] = (1 - MOMENTUM) * this.#means[j]! + MOMENTUM * mean;
      this.#variances[j] = (1 - MOMENTUM) * this.#variances[j]! + MOMENTUM * variance;
    }
  }

  /** Normalises a set by the running statistics, in place. */
  evaluate({ features: values, width }: FeatureSet): void {
    for (let i = 0; i < values.length; i++) {
      const j = i % width;
      values[i] = (values[i]! - this.#means[j]!) / Math.sqrt(this.#variances[j]! + EPSILON);
    }
  }
}
