/** The interfaces that `compose.ts` joins: a geometry, a style and a form of the loss. Nothing is computed here. */
import type * as tf from '@tensorflow/tfjs';
import type { FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';

/** Where zoomed-out content lies in its canvas: pixels between the canvas's edges and the content's. */
export interface Placement {
  readonly left: number;
  readonly top: number;
}

/** What a geometry makes of a field. */
export interface Moved {
  /** The input before its style is changed: imageSize², ImageNet-normalised. */
  readonly image: FloatImage;
  readonly placement: Placement | null;
}

export interface GeometryPart {
  /** Side of the clean field that it starts from. */
  readonly fieldSize: number;
  /** @param field fieldSize², in [0, 1] */
  move(field: FloatImage, random: Random): Moved;
}

/** Changes the pixels of an ImageNet-normalised image and keeps its size. May return the image itself. */
export type StylePart = (image: FloatImage, random: Random) => FloatImage;

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
