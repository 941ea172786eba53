/**
 * Joins the three parts of a task, mask, geometry and style, behind one interface, and gives it its loss. Images are
 * degraded one by one as plain arrays; a batch of them is uploaded once. (PAPER.md §3–4)
 */
import * as tf from '@tensorflow/tfjs';
import { UsageError, unreachable } from '../common/errors.js';
import { normalizeImage, stackPixels, type FloatImage } from '../common/image.js';
import { stream, type Random } from '../common/random.js';
import { tokenSelection, type TokenSelection } from '../ops/index.js';
import { keptTokens, patchCount } from '../spec/model.js';
import { countsRemovedTokensOnly, type Geometry, type Style, type Task } from '../spec/task.js';
import { blurred } from './blurred.js';
import { centreBorderLoss } from './centre-border-loss.js';
import { decolorized } from './decolorized.js';
import { distorted } from './distorted.js';
import { mappedBackLoss } from './mapped-back-loss.js';
import { drawKept } from './mask.js';
import type { GeometryPart, LossForm, Placement, StylePart, Supervision } from './parts.js';
import { sameGridLoss } from './same-grid-loss.js';
import { contentSize, outerFieldSize } from '../spec/sizes.js';
import { picturesOfTokens } from './targets.js';
import { zoomedIn } from './zoomed-in.js';
import { zoomedOut } from './zoomed-out.js';

/** One image to learn from. Plain data: it may be made in another thread. */
export interface Example {
  /** What the encoder is given: imageSize², ImageNet-normalised, degraded. */
  readonly input: FloatImage;
  /** What is to be recovered: fieldSize², in [0, 1], clean. */
  readonly field: FloatImage;
  /** The tokens of the input that the encoder sees, ascending; null: all. */
  readonly kept: Int32Array | null;
  readonly placement: Placement | null;
}

/** Examples on the device. */
export interface Batch {
  /** [B, S, S, 3], ImageNet-normalised */
  readonly inputs: tf.Tensor4D;
  /** [B, F, F, 3] in [0, 1] */
  readonly fields: tf.Tensor4D;
  /** For the encoder and the decoder; null: no token is removed. */
  readonly selection: TokenSelection | null;
  /** Scalar, differentiable in the prediction [B, N, patchSize²·3]. */
  readonly loss: (prediction: tf.Tensor3D) => tf.Scalar;
  /** Frees all tensors of the batch. */
  readonly dispose: () => void;
}

export interface Objective {
  readonly task: Task;
  readonly imageSize: number;
  readonly patchSize: number;
  /** N, tokens of an image. */
  readonly tokens: number;
  /** F, side of the clean image that {@link degrade} starts from. */
  readonly fieldSize: number;
  /** True where the loss counts removed tokens alone. */
  readonly countsRemovedTokensOnly: boolean;
  /**
   * Draws and applies a degradation. Mask, geometry and style draw from streams of their own, so that tasks sharing a
   * part share its draws too.
   *
   * @param field fieldSize², in [0, 1]; becomes part of the example
   */
  degrade(field: FloatImage, random: Random): Example;
  /** Uploads examples, at least one, and computes their targets. The caller disposes of the batch. */
  batch(examples: readonly Example[]): Batch;
  /** What predicting the mean of every target patch scores: the level that a model has to fall below. Scalar. */
  zeroLoss(batch: Batch): tf.Scalar;
  /**
   * The clean picture on the grid that predictions live on, [B, S, S, 3] in [0, 1]: the field, brought to the image's
   * size by area resampling where it has another.
   */
  picture(batch: Batch): tf.Tensor4D;
  /** A prediction as pictures [B, S, S, 3] in [0, 1], with the patch statistics of {@link picture}. */
  reconstruct(prediction: tf.Tensor3D, batch: Batch): tf.Tensor4D;
}

/**
 * @throws UsageError where the numbers come to nothing at this size: a zoom of less than a pixel, a mask that removes no
 * token, a centre-border loss without weights.
 */
export function composeObjective(
  task: Task,
  { imageSize, patchSize }: { readonly imageSize: number; readonly patchSize: number },
): Objective {
  const sizes = { imageSize, patchSize };
  const tokens = patchCount(sizes);
  const masked = task.maskRatio > 0;
  if (masked && keptTokens(tokens, task.maskRatio) === tokens) {
    throw new UsageError(`maskRatio ${task.maskRatio} removes none of ${tokens} tokens: raise it, or set it to 0`);
  }
  const geometry = geometryPart(task.geometry, imageSize);
  const restyle = stylePart(task.style);
  const form = lossForm(task, sizes);
  const removedOnly = countsRemovedTokensOnly(task);

  const picture: Objective['picture'] = ({ fields }) => tf.tidy(() => tf.clone(form.picture(fields)));
  return {
    task,
    ...sizes,
    tokens,
    fieldSize: geometry.fieldSize,
    countsRemovedTokensOnly: removedOnly,
    degrade(field, random) {
      const seed = random.uint32();
      const { image, placement } = geometry.move(field, stream(seed, 'geometry'));
      return {
        input: restyle(image, stream(seed, 'style')),
        field,
        kept: masked ? drawKept(tokens, task.maskRatio, stream(seed, 'mask')) : null,
        placement,
      };
    },
    batch: (examples) => upload(examples, tokens, removedOnly, form),
    zeroLoss: ({ inputs, loss }) => tf.tidy(() => loss(tf.zeros([inputs.shape[0], tokens, patchSize * patchSize * 3]))),
    picture,
    reconstruct: (prediction, batch) =>
      tf.tidy(() => picturesOfTokens(prediction, picture(batch), patchSize, task.target)),
  };
}

function geometryPart(geometry: Geometry, imageSize: number): GeometryPart {
  switch (geometry.kind) {
    case 'none':
      return { fieldSize: imageSize, move: (field) => ({ image: normalizeImage(field), placement: null }) };
    case 'zoomed-in':
      return zoomedIn(geometry, imageSize);
    case 'zoomed-out':
      return zoomedOut(geometry, imageSize);
    case 'distorted':
      return distorted(geometry, imageSize);
    default:
      return unreachable(geometry);
  }
}

function stylePart(style: Style): StylePart {
  switch (style.kind) {
    case 'preserved':
      return (image) => image;
    case 'blurred':
      return blurred(style);
    case 'decolorized':
      return decolorized(style);
    default:
      return unreachable(style);
  }
}

function lossForm(
  { geometry, maskRatio, target }: Task,
  { imageSize, patchSize }: { imageSize: number; patchSize: number },
): LossForm {
  if (geometry.kind === 'zoomed-in' && geometry.loss === 'centre-border') {
    if (geometry.centreWeight + geometry.borderWeight <= 0) {
      throw new UsageError('degradation.zoomedIn.centreWeight and borderWeight are both 0: nothing would be learned');
    }
    const fieldSize = outerFieldSize(geometry.fraction, imageSize);
    return centreBorderLoss({ imageSize, fieldSize, patchSize }, geometry, target);
  }
  if (geometry.kind === 'zoomed-out' && maskRatio > 0) {
    const content = contentSize(geometry.fraction, imageSize);
    return mappedBackLoss({ imageSize, contentSize: content, patchSize }, target);
  }
  return sameGridLoss(imageSize, patchSize, target);
}

function upload(examples: readonly Example[], tokens: number, removedOnly: boolean, form: LossForm): Batch {
  const kept = examples.flatMap((example) => example.kept ?? []);
  const inputs = stack(examples.map(({ input }) => input));
  const fields = stack(examples.map(({ field }) => field));
  const selection = kept.length === 0 ? null : tokenSelection(kept, tokens);
  const counted = removedOnly && selection ? selection.removed : tf.ones<tf.Rank.R2>([examples.length, tokens]);
  const placements = examples.map(({ placement }) => placement);
  const { loss, tensors } = keepTensors(() => form.supervise({ fields, counted, placements }));

  const tables = selection ? [selection.rows, selection.places, selection.removed] : [];
  const held = [inputs, fields, counted, ...tables, ...tensors];
  // A batch outlives the tidy it may be made in.
  for (const tensor of held) tf.keep(tensor);
  return {
    inputs,
    fields,
    selection,
    loss,
    dispose: () => {
      tf.dispose(held);
    },
  };
}

/** Frees every tensor made on the way but those the supervision holds on to. */
function keepTensors(make: () => Supervision): Supervision {
  const made: Supervision[] = [];
  tf.tidy(() => {
    const supervision = make();
    for (const tensor of supervision.tensors) tf.keep(tensor);
    made.push(supervision);
  });
  return made[0]!;
}

/** Equally large images as one tensor: [B, H, W, 3]. */
function stack(images: readonly FloatImage[]): tf.Tensor4D {
  const { height, width } = images[0]!;
  return tf.tensor4d(stackPixels(images), [images.length, height, width, 3]);
}
