/**
 * Joins the three parts of a task, mask, geometry and style, behind one interface, and gives it its loss. What is drawn
 * for an image is applied in one of two ways: one by one to plain arrays, of which a batch is uploaded, or to a batch of
 * clean images that is on the device already. (PAPER.md §3–4)
 */
import * as tf from '@tensorflow/tfjs';
import { UsageError, unreachable } from '../common/errors.js';
import { normalizeImage, stackPixels, type FloatImage } from '../common/image.js';
import { stream, type Random } from '../common/random.js';
import { denormalizePatches, mixColours, NORMALIZE, tokenSelection, type TokenSelection } from '../ops/index.js';
import { keptTokens, patchCount } from '../spec/model.js';
import { countsRemovedTokensOnly, type Geometry, type Style, type Task } from '../spec/task.js';
import { blurred } from './blurred.js';
import { centreBorderLoss } from './centre-border-loss.js';
import { decolorized } from './decolorized.js';
import { distorted } from './distorted.js';
import { mappedBackLoss } from './mapped-back-loss.js';
import { drawKept } from './mask.js';
import {
  drawNothing,
  type GeometryDraw,
  type GeometryPart,
  type LossForm,
  type Placement,
  type StylePart,
  type Supervision,
} from './parts.js';
import { sameGridLoss } from './same-grid-loss.js';
import { contentSize, outerFieldSize } from '../spec/sizes.js';
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

/** What a task draws for one image. Plain data. */
export interface Draw {
  /** As their parts drew them. */
  readonly geometry: GeometryDraw;
  readonly style: unknown;
  /** As in {@link Example}. */
  readonly kept: Int32Array | null;
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
  /** All tensors of the batch; the loss holds on to no others. For one task in the same order in every batch. */
  readonly tensors: readonly tf.Tensor[];
  /** Frees them. */
  readonly dispose: () => void;
}

export interface Objective {
  readonly task: Task;
  readonly imageSize: number;
  readonly patchSize: number;
  /** N, tokens of an image. */
  readonly tokens: number;
  /** F, side of the clean image that {@link apply} starts from. */
  readonly fieldSize: number;
  /** True where the loss counts removed tokens alone. */
  readonly countsRemovedTokensOnly: boolean;
  /**
   * Draws a degradation. Mask, geometry and style draw from streams of their own, so that tasks sharing a part share its
   * draws too.
   */
  draw(random: Random): Draw;
  /**
   * Applies a degradation to one image.
   *
   * @param field fieldSize², in [0, 1]; becomes part of the example
   */
  apply(field: FloatImage, draw: Draw): Example;
  /** {@link draw} and {@link apply}. */
  degrade(field: FloatImage, random: Random): Example;
  /** Uploads examples, at least one, and computes their targets. The caller disposes of the batch. */
  batch(examples: readonly Example[]): Batch;
  /**
   * The batch that {@link apply} and {@link batch} make of these images one by one.
   *
   * @param fields [B, fieldSize, fieldSize, 3] in [0, 1]; becomes part of the batch
   */
  applyToBatch(fields: tf.Tensor4D, draws: readonly Draw[]): Batch;
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
  const style = stylePart(task.style);
  const form = lossForm(task, sizes);
  const removedOnly = countsRemovedTokensOnly(task);

  const draw: Objective['draw'] = (random) => {
    const seed = random.uint32();
    return {
      geometry: geometry.draw(stream(seed, 'geometry')),
      style: style.draw(stream(seed, 'style')),
      kept: masked ? drawKept(tokens, task.maskRatio, stream(seed, 'mask')) : null,
    };
  };
  const apply: Objective['apply'] = (field, { geometry: drawn, style: drawnStyle, kept }) => ({
    input: style.restyle(geometry.move(field, drawn), drawnStyle),
    field,
    kept,
    placement: drawn.placement,
  });
  const prepare = (inputs: tf.Tensor4D, fields: tf.Tensor4D, images: readonly Seen[]): Batch =>
    prepareBatch({ inputs, fields }, images, tokens, removedOnly, form);
  const picture: Objective['picture'] = ({ fields }) => tf.tidy(() => tf.clone(form.picture(fields)));
  return {
    task,
    ...sizes,
    tokens,
    fieldSize: geometry.fieldSize,
    countsRemovedTokensOnly: removedOnly,
    draw,
    apply,
    degrade: (field, random) => apply(field, draw(random)),
    batch(examples) {
      const inputs = stack(examples.map(({ input }) => input));
      return prepare(inputs, stack(examples.map(({ field }) => field)), examples);
    },
    applyToBatch(fields, draws) {
      const inputs = tf.tidy(() => {
        const geometries = draws.map((drawn) => drawn.geometry);
        const styles = draws.map((drawn) => drawn.style);
        return style.restyleBatch(geometry.moveBatch(fields, geometries), styles);
      });
      const images = draws.map(({ kept, geometry: { placement } }) => ({ kept, placement }));
      return prepare(inputs, fields, images);
    },
    zeroLoss: ({ inputs, loss }) => tf.tidy(() => loss(tf.zeros([inputs.shape[0], tokens, patchSize * patchSize * 3]))),
    picture,
    reconstruct: (prediction, batch) =>
      tf.tidy(() => denormalizePatches(prediction, picture(batch), patchSize, task.target)),
  };
}

function geometryPart(geometry: Geometry, imageSize: number): GeometryPart {
  switch (geometry.kind) {
    case 'none':
      return {
        fieldSize: imageSize,
        draw: drawNothing,
        move: normalizeImage,
        moveBatch: (fields) => mixColours(fields, [NORMALIZE]),
      };
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
      return { draw: () => null, restyle: (image) => image, restyleBatch: (images) => images };
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

/** What a batch needs of its images, besides their pixels. */
type Seen = Pick<Example, 'kept' | 'placement'>;

function prepareBatch(
  { inputs, fields }: Pick<Batch, 'inputs' | 'fields'>,
  images: readonly Seen[],
  tokens: number,
  removedOnly: boolean,
  form: LossForm,
): Batch {
  const kept = images.flatMap((image) => image.kept ?? []);
  const selection = kept.length === 0 ? null : tokenSelection(kept, tokens);
  const counted = removedOnly && selection ? selection.removed : tf.ones<tf.Rank.R2>([images.length, tokens]);
  const placements = images.map(({ placement }) => placement);
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
    tensors: held,
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
