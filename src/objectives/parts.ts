/** The interfaces that `compose.ts` joins: a geometry, a style and a form of the loss. Nothing is computed here. */
import type * as tf from '@tensorflow/tfjs';
import type { FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';

/** Where zoomed-out content lies in its canvas: pixels between the canvas's edges and the content's. */
export interface Placement {
  readonly left: number;
  readonly top: number;
}

/** What a geometry draws for an image; each adds its own numbers. */
export interface GeometryDraw {
  readonly placement: Placement | null;
}

/**
 * A geometry: what it draws for an image, and what that makes of the clean field, for one image as an array or for a
 * batch on the device. It is only ever handed what it has drawn itself.
 */
export interface GeometryPart<Draw extends GeometryDraw = GeometryDraw> {
  /** F, side of the clean field that it starts from. */
  readonly fieldSize: number;
  draw(random: Random): Draw;
  /** F², in [0, 1] → imageSize², ImageNet-normalised */
  move(field: FloatImage, draw: Draw): FloatImage;
  /** [B, F, F, 3] in [0, 1] → [B, S, S, 3], ImageNet-normalised. Tensors made on the way are freed by the caller. */
  moveBatch(fields: tf.Tensor4D, draws: readonly Draw[]): tf.Tensor4D;
}

/** The draw of a geometry without chance. */
export const drawNothing = (): GeometryDraw => ({ placement: null });

/**
 * A style: changes the pixels of ImageNet-normalised images and keeps their size. In two steps and two forms, as a
 * geometry; may return what it is given.
 */
export interface StylePart<Draw = unknown> {
  draw(random: Random): Draw;
  restyle(image: FloatImage, draw: Draw): FloatImage;
  /** [B, S, S, 3] → [B, S, S, 3] */
  restyleBatch(images: tf.Tensor4D, draws: readonly Draw[]): tf.Tensor4D;
}

/** The clean side of a batch. */
export interface Clean {
  /** [B, F, F, 3] in [0, 1] */
  readonly fields: tf.Tensor4D;
  /** [B, N]: 1 for each input token that the loss counts, else 0. */
  readonly counted: tf.Tensor2D;
  readonly placements: readonly (Placement | null)[];
}

/** A loss with its targets ready. */
export interface Supervision {
  /** Differentiable in the prediction: [B, N, patchSize²·3] → scalar. */
  readonly loss: (prediction: tf.Tensor3D) => tf.Scalar;
  /** All that {@link loss} holds on to and that `supervise` made. */
  readonly tensors: readonly tf.Tensor[];
}

export interface LossForm {
  /** The clean picture on the grid that predictions live on: [B, F, F, 3] → [B, S, S, 3], in [0, 1]. */
  picture(fields: tf.Tensor4D): tf.Tensor4D;
  /** Prepares the targets of a batch. Tensors made on the way are freed by the caller. */
  supervise(clean: Clean): Supervision;
}
