/**
 * The entries of the registries: geometries, styles, masks and targets. An entry is one file with all facts about its
 * kind: name, description, the schema of its strengths, how these are resolved, and how it is computed. The tensor
 * forms receive tfjs and the ops as an argument (see `tensors.ts`).
 */
import type * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import type { PatchNormalization } from '../ops/normalize-patches.js';
import type { Tensors } from './tensors.js';

// --- what all degradations have --------------------------------------------------------------------------------------

/** The properties of a task on which `auto` strengths depend. */
export interface ResolveContext {
  /** Whether the task removes tokens. */
  readonly masked: boolean;
  /** Side of a patch in pixels. */
  readonly patchSize: number;
}

export interface ImageSizes {
  readonly imageSize: number;
  readonly patchSize: number;
}

/** Keys that contradict each other; the one that should be changed is first. */
export interface Conflict {
  readonly keys: readonly string[];
  readonly message: string;
}

/**
 * @typeParam Resolved Its resolved numbers in a task, which are part of a stage's identity. Strengths without effect
 * are omitted.
 */
export interface DegradationEntry<
  Name extends string = string,
  Strengths extends z.ZodObject = z.ZodObject,
  Resolved extends { kind: string } = { kind: string },
> {
  /** The value of the axis and part of an objective's name: lower case, words joined by `-`. */
  readonly name: Name;
  /** Its effect, as a clause for the documentation of the axis. */
  readonly description: string;
  /**
   * The keys below `degradation.NAME` (in camel case), each with default and description; without keys there is no such
   * group.
   */
  readonly strengths: Strengths;
  /** Strengths that depend on whether there is a mask. Reports do not warn if these differ between cells. */
  readonly determinedByMask?: readonly string[];
  resolve(strengths: z.output<Strengths>, context: ResolveContext): Resolved;
  /** Why the resolved numbers cannot be applied to images of this size; undefined: they can. */
  conflict?(resolved: Resolved, sizes: ImageSizes): Conflict | undefined;
}

// --- geometries ------------------------------------------------------------------------------------------------------

/** The position of zoomed-out content in its canvas: pixels between the canvas's edges and the content's. */
export interface Placement {
  readonly left: number;
  readonly top: number;
}

/** The draw of a geometry for an image; each geometry adds its own numbers. */
export interface GeometryDraw {
  readonly placement: Placement | null;
}

/** How the input grid is moved relative to the target grid. */
export interface GeometryEntry<
  Name extends string = string,
  Strengths extends z.ZodObject = z.ZodObject,
  Resolved extends { kind: string } = { kind: string },
  Draw extends GeometryDraw = GeometryDraw,
> extends DegradationEntry<Name, Strengths, Resolved> {
  /**
   * Whether the loss of a masked task counts only the removed tokens. It must not if visible tokens are degraded too,
   * or if prediction and input tokens are at different positions.
   */
  countsRemovedTokensOnly(geometry: Resolved): boolean;
  part(geometry: Resolved, imageSize: number): GeometryPart<Draw>;
  /** The loss. Default: the prediction is compared on the grid of its own tokens (`losses/same-grid.ts`). */
  loss?(tensors: Tensors, geometry: Resolved, context: LossContext): LossForm;
}

/**
 * A geometry at one image size: its draw for an image, and how it changes the clean field, as an array for one image or
 * as a batch on the device. It receives only its own draws.
 */
export interface GeometryPart<Draw extends GeometryDraw = GeometryDraw> {
  /** F, side of the clean field that it starts from. */
  readonly fieldSize: number;
  draw(random: Random): Draw;
  /** F², in [0, 1] → imageSize², ImageNet-normalised */
  move(field: FloatImage, draw: Draw): FloatImage;
  /** [B, F, F, 3] in [0, 1] → [B, S, S, 3], ImageNet-normalised. The caller disposes of intermediate tensors. */
  moveBatch(tensors: Tensors, fields: tf.Tensor4D, draws: readonly Draw[]): tf.Tensor4D;
}

/** The draw of a geometry without randomness. */
export const drawNothing = (): GeometryDraw => ({ placement: null });

// --- styles ----------------------------------------------------------------------------------------------------------

/** How the input's pixels are changed. */
export interface StyleEntry<
  Name extends string = string,
  Strengths extends z.ZodObject = z.ZodObject,
  Resolved extends { kind: string } = { kind: string },
  Draw = unknown,
> extends DegradationEntry<Name, Strengths, Resolved> {
  part(style: Resolved): StylePart<Draw>;
}

/**
 * A style: changes the pixels of ImageNet-normalised images and keeps their size, as an array for one image or as a
 * batch on the device. May return its argument.
 */
export interface StylePart<Draw = unknown> {
  draw(random: Random): Draw;
  restyle(image: FloatImage, draw: Draw): FloatImage;
  /** [B, S, S, 3] → [B, S, S, 3] */
  restyleBatch(tensors: Tensors, images: tf.Tensor4D, draws: readonly Draw[]): tf.Tensor4D;
}

// --- masks -----------------------------------------------------------------------------------------------------------

/** Which tokens are removed; `maskRatio` determines how many. */
export interface MaskEntry<
  Name extends string = string,
  Strengths extends z.ZodObject = z.ZodObject,
  Resolved extends { kind: string } = { kind: string },
> extends DegradationEntry<Name, Strengths, Resolved> {
  /**
   * Draws the kept tokens of one image.
   *
   * @param columns Patches along each side of the image, columns² in total, listed row by row.
   * @param kept Number of tokens that the encoder receives.
   * @returns `kept` different indices below columns², ascending
   */
  draw(mask: Resolved, grid: { readonly columns: number; readonly kept: number }, random: Random): Int32Array;
}

// --- targets and losses ----------------------------------------------------------------------------------------------

/** The prediction target of each token. */
export interface TargetEntry<Name extends string = string> {
  /** The value of `pretrain.target`. */
  readonly name: Name;
  /** A clause for the documentation of the key. */
  readonly description: string;
  /** Number of values of a predicted token: the width of the decoder's output. */
  width(patchSize: number): number;
  /**
   * How the pixels of a patch are normalised, if the target is pixels; absent: other values. Only pixels can be
   * exported with their decoder.
   */
  readonly pixels?: PatchNormalization;
  /**
   * The targets of clean images.
   *
   * @param images [B, S, S, 3] in [0, 1]
   * @returns [B, N, width]. The zero prediction must be the best one that uses no image: its loss is the baseline.
   */
  compute(tensors: Tensors, images: tf.Tensor4D, patchSize: number): tf.Tensor3D;
  /**
   * Arranges tokens as pixels of their image, differentiably: a loss on another grid resamples the result. By default
   * each pixel has all values of its token.
   *
   * @returns [B, S, S, C] for any C
   */
  layOut?(tensors: Tensors, tokens: tf.Tensor3D, patchSize: number): tf.Tensor4D;
  /**
   * The error of predictions against targets, of tokens or of pixels, averaged by weight. By default the mean squared
   * error.
   *
   * @param prediction [B, P, C]
   * @param target [B, P, C]
   * @param weights [B, P], not negative and not all 0
   * @returns scalar, differentiable in the prediction
   */
  error?(tensors: Tensors, prediction: tf.Tensor3D, target: tf.Tensor3D, weights: tf.Tensor2D): tf.Scalar;
  /**
   * A prediction as an image; undefined: previews show no reconstruction.
   *
   * @param picture [B, S, S, 3] in [0, 1], the clean image; its statistics replace those that the target omits
   * @returns [B, S, S, 3] in [0, 1]
   */
  toPicture?(tensors: Tensors, prediction: tf.Tensor3D, picture: tf.Tensor4D, patchSize: number): tf.Tensor4D;
}

/** The task and sizes for which a loss is created. */
export interface LossContext extends ImageSizes {
  readonly masked: boolean;
  readonly target: TargetEntry;
}

/** The clean images of a batch. */
export interface Clean {
  /** [B, F, F, 3] in [0, 1] */
  readonly fields: tf.Tensor4D;
  /** [B, N]: 1 for each input token that the loss counts, else 0. */
  readonly counted: tf.Tensor2D;
  readonly placements: readonly (Placement | null)[];
}

/** A loss with its targets computed. */
export interface Supervision {
  /** Differentiable in the prediction: [B, N, width of the target] → scalar. */
  readonly loss: (prediction: tf.Tensor3D) => tf.Scalar;
  /** All tensors that `supervise` creates and {@link loss} uses. */
  readonly tensors: readonly tf.Tensor[];
}

export interface LossForm {
  /** The clean image on the grid of the predictions: [B, F, F, 3] → [B, S, S, 3], in [0, 1]. */
  picture(fields: tf.Tensor4D): tf.Tensor4D;
  /** Computes the targets of a batch. The caller disposes of intermediate tensors. */
  supervise(clean: Clean): Supervision;
}
