/** Features of images by an encoder, with the views that evaluations see. */
import * as tf from '@tensorflow/tfjs';
import { unreachable, UsageError } from '../common/errors.js';
import { IMAGENET_MEAN, IMAGENET_STD } from '../common/image.js';
import type { DecodeMode } from '../data/formats/format.js';
import { openReaders } from '../data/readers.js';
import { ReadWatch } from '../data/read-watch.js';
import type { Sample } from '../data/split.js';
import { disposeParameters, toParameters, type Parameters } from '../model/parameters.js';
import { classifierFeatures, encode, encodeTokens, features } from '../model/vit.js';
import { hasClassifierNorm, type EncoderWeights } from '../weights/encoder.js';
import { hasProducts } from '../ops/index.js';
import { patchCount, type EncoderConfig } from '../spec/model.js';
import { outputsOf } from '../training/evaluate.js';
import type { Normalisation } from '../weights/about.js';
import type { ListedImage } from './images.js';

/** What happens to a file that cannot be decoded, as `data.corrupt` of a spec. */
export const CORRUPT = ['fail', 'skip'] as const;
export type Corrupt = (typeof CORRUPT)[number];

export interface EmbedOptions {
  /** All tokens in place of the pooled features (false). */
  tokens?: boolean;
  corrupt?: Corrupt;
  decode?: DecodeMode;
  /** Processor cores that read images (1). */
  cores?: number;
  /** Called with a file that was left out, and why. */
  onSkipped?: (image: ListedImage, reason: string) => void;
  /** Called with a file that the decoder warned of, and that was used. */
  onDamaged?: (image: ListedImage, reason: string) => void;
  /** Aborted to stop after the current batch. */
  signal?: AbortSignal;
}

/** The features of some images. */
export interface FeatureBatch {
  names: string[];
  /** [names.length, …shape], row-major. */
  values: Float32Array;
}

type Compute = (parameters: Parameters, model: EncoderConfig, images: tf.Tensor4D) => tf.Tensor;

/** An encoder on the active device. */
export class Encoder {
  readonly model: EncoderConfig;
  readonly #parameters: Parameters;
  readonly #normalisation: Normalisation;

  /** The device must be open, and stay open. Weights are rounded as in training, if the device supports it. */
  constructor({ model, weights, normalisation }: EncoderWeights) {
    const { precision, ...float32 } = model;
    this.model = precision !== undefined && hasProducts(precision) ? model : float32;
    this.#parameters = toParameters(weights);
    this.#normalisation = normalisation;
  }

  /** The shape of the features of one image. */
  shapeOf({ tokens = false }: Pick<EmbedOptions, 'tokens'>): number[] {
    const { dim, classToken } = this.model;
    return tokens ? [patchCount(this.model) + Number(classToken), dim] : [dim];
  }

  /**
   * Computes the features of images, in their order, a batch at a time.
   *
   * @throws UsageError for a file that cannot be read, or that cannot be decoded and must not be skipped, and for
   *   features that are not finite; TrainingError if a disk does not answer.
   */
  async *embed(images: readonly ListedImage[], options: EmbedOptions = {}): AsyncGenerator<FeatureBatch, void> {
    const compute = this.#computationOf(options.tokens === true);
    const model = (batch: tf.Tensor4D): tf.Tensor =>
      compute(this.#parameters, this.model, renormalised(batch, this.#normalisation));
    const split = { length: images.length, read: readerOf(images, options) };
    for await (const { values, targets } of outputsOf(split, this.model.imageSize, model)) {
      const broken = values.findIndex((value) => !Number.isFinite(value));
      if (broken >= 0) {
        const name = targets[Math.floor((broken * targets.length) / values.length)]!;
        throw new UsageError(`the features of ${name} are not finite numbers; use other weights`);
      }
      yield { names: targets, values };
      if (options.signal?.aborted) return;
    }
  }

  /** What a classifier has in place of the last norm of an encoder decides how its values are computed. */
  #computationOf(tokens: boolean): Compute {
    if (hasClassifierNorm(this.#parameters)) return tokens ? encodeTokens : classifierFeatures;
    return tokens ? encode : features;
  }

  /** Releases the weights. */
  close(): void {
    disposeParameters(this.#parameters);
  }
}

/** Images that were normalised as those of ImageNet, in another normalisation. */
function renormalised(images: tf.Tensor4D, { mean, std }: Normalisation): tf.Tensor4D {
  const scale = std.map((deviation, i) => IMAGENET_STD[i]! / deviation);
  const shift = mean.map((value, i) => (IMAGENET_MEAN[i]! - value) / std[i]!);
  if (scale.every((factor) => factor === 1) && shift.every((term) => term === 0)) return images;
  return tf.add(tf.mul(images, tf.tensor1d(scale)), tf.tensor1d(shift));
}

/** Reads images; the target of each is its name. */
function readerOf(
  images: readonly ListedImage[],
  options: EmbedOptions,
): (index: number) => Promise<Sample<string> | null> {
  const { corrupt = 'fail', decode, cores = 1, onSkipped, onDamaged } = options;
  const read = openReaders(cores, decode);
  const watch = new ReadWatch();
  const reject = (image: ListedImage, reason: string): null => {
    if (corrupt === 'fail') {
      throw new UsageError(
        `${image.path} cannot be decoded (${reason}); remove or replace it, or leave such files out: --corrupt skip`,
      );
    }
    onSkipped?.(image, reason);
    return null;
  };
  return async (index) => {
    const image = images[index]!;
    if (image.broken !== undefined) return reject(image, image.broken);
    const found = await watch.watch(() => image.path, read(image.path));
    switch (found.kind) {
      case 'image':
        if (found.damage !== null) onDamaged?.(image, found.damage);
        return { image: found.image, target: image.name };
      case 'corrupt':
        return reject(image, found.reason);
      case 'unreadable':
        throw new UsageError(`${image.path} cannot be read (${found.reason}); make it readable, or remove it`);
      case 'timed-out':
        throw new UsageError(`${found.reason}; check its disk or file server, and run the command again`);
      default:
        return unreachable(found);
    }
  };
}
