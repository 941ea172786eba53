/**
 * Joins the parts of a task (mask, geometry, style and target) behind one interface, with its loss. A degradation is
 * drawn for each image and applied in one of two ways: to one image at a time as a plain array, before a batch is
 * uploaded, or to a batch of clean images that is already on the device. (PAPER.md §3–4)
 */
import * as tf from '@tensorflow/tfjs';
import { UsageError } from '../common/errors.js';
import { stackPixels, type FloatImage } from '../common/image.js';
import { stream, type Random } from '../common/random.js';
import * as ops from '../ops/index.js';
import { tokenSelection, type TokenSelection } from '../ops/index.js';
import { keptTokens, patchCount } from '../spec/model.js';
import {
  countsRemovedTokensOnly,
  geometryEntry,
  maskEntry,
  maskOf,
  styleEntry,
  targetEntry,
  type Task,
} from '../spec/task.js';
import type { GeometryDraw, LossForm, Placement, Supervision } from '../task/entry.js';
import { sameGridLoss } from '../task/losses/same-grid.js';

const TENSORS = { tf, ops };

/** One training image. Plain data, which another thread may produce. */
export interface Example {
  /** The encoder's input: imageSize², ImageNet-normalised, degraded. */
  readonly input: FloatImage;
  /** The image to be recovered: fieldSize², in [0, 1], clean. */
  readonly field: FloatImage;
  /** The tokens of the input that the encoder receives, ascending; null: all. */
  readonly kept: Int32Array | null;
  readonly placement: Placement | null;
}

/** The random draws of a task for one image. Plain data. */
export interface Draw {
  /** From their parts. */
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
  /** Scalar, differentiable in the prediction [B, N, outputs]. */
  readonly loss: (prediction: tf.Tensor3D) => tf.Scalar;
  /** All tensors of the batch; the loss uses no others. For one task they have the same order in every batch. */
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
  /** Values of a predicted token. */
  readonly outputs: number;
  /** F, side of the clean image that {@link apply} starts from. */
  readonly fieldSize: number;
  /** True if the loss counts only removed tokens. */
  readonly countsRemovedTokensOnly: boolean;
  /**
   * Draws a degradation. Mask, geometry and style each have a random stream, so tasks with a common part have the same
   * draws for it.
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
  /** {@link batch} of examples whose pixels are stacked already. */
  batchOf(pixels: StackedPixels, images: readonly Seen[]): Batch;
  /**
   * The same batch as {@link apply} to each image and {@link batch} would create.
   *
   * @param fields [B, fieldSize, fieldSize, 3] in [0, 1]; becomes part of the batch
   */
  applyToBatch(fields: tf.Tensor4D, draws: readonly Draw[]): Batch;
  /** The loss of the zero prediction, which uses no image: a model's loss has to fall below it. Scalar. */
  zeroLoss(batch: Batch): tf.Scalar;
  /**
   * The clean image on the grid of predictions, [B, S, S, 3] in [0, 1]: the field, resampled by area to the image's
   * size if it has another.
   */
  picture(batch: Batch): tf.Tensor4D;
  /**
   * A prediction as images [B, S, S, 3] in [0, 1], with the patch statistics of {@link picture}; null: the target is
   * not an image.
   */
  readonly reconstruct: ((prediction: tf.Tensor3D, batch: Batch) => tf.Tensor4D) | null;
}

/**
 * @throws UsageError if the numbers have no effect at this size: a zoom of less than a pixel, a mask that removes no
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
  const geometry = geometryEntry(task.geometry).part(task.geometry, imageSize);
  const style = styleEntry(task.style).part(task.style);
  const mask = maskOf(task);
  const target = targetEntry(task.target);
  const outputs = target.width(patchSize);
  const context = { ...sizes, masked, target };
  const form = geometryEntry(task.geometry).loss?.(TENSORS, task.geometry, context) ?? sameGridLoss(TENSORS, context);
  const removedOnly = countsRemovedTokensOnly(task);
  const grid = { columns: imageSize / patchSize, kept: keptTokens(tokens, task.maskRatio) };

  const draw: Objective['draw'] = (random) => {
    const seed = random.uint32();
    return {
      geometry: geometry.draw(stream(seed, 'geometry')),
      style: style.draw(stream(seed, 'style')),
      kept: masked ? maskEntry(mask).draw(mask, grid, stream(seed, 'mask')) : null,
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
  const batchOf: Objective['batchOf'] = (pixels, images) => {
    const tensor = (values: Float32Array, side: number) => tf.tensor4d(values, [images.length, side, side, 3]);
    return prepare(tensor(pixels.inputs, imageSize), tensor(pixels.fields, geometry.fieldSize), images);
  };
  const picture: Objective['picture'] = ({ fields }) => tf.tidy(() => tf.clone(form.picture(fields)));
  return {
    task,
    ...sizes,
    tokens,
    outputs,
    fieldSize: geometry.fieldSize,
    countsRemovedTokensOnly: removedOnly,
    draw,
    apply,
    degrade: (field, random) => apply(field, draw(random)),
    batch: (examples) => {
      const [inputs, fields] = [examples.map(({ input }) => input), examples.map(({ field }) => field)];
      return batchOf({ inputs: stackPixels(inputs), fields: stackPixels(fields) }, examples);
    },
    batchOf,
    applyToBatch(fields, draws) {
      const inputs = tf.tidy(() => {
        const geometries = draws.map((drawn) => drawn.geometry);
        const styles = draws.map((drawn) => drawn.style);
        return style.restyleBatch(TENSORS, geometry.moveBatch(TENSORS, fields, geometries), styles);
      });
      const images = draws.map(({ kept, geometry: { placement } }) => ({ kept, placement }));
      return prepare(inputs, fields, images);
    },
    zeroLoss: ({ inputs, loss }) => tf.tidy(() => loss(tf.zeros([inputs.shape[0], tokens, outputs]))),
    picture,
    reconstruct:
      target.toPicture === undefined
        ? null
        : (prediction, batch) => tf.tidy(() => target.toPicture!(TENSORS, prediction, picture(batch), patchSize)),
  };
}

/** The pixels of a batch, one image after another. */
export interface StackedPixels {
  /** imageSize², ImageNet-normalised, degraded. */
  readonly inputs: Float32Array;
  /** fieldSize², in [0, 1], clean. */
  readonly fields: Float32Array;
}

/** The data of an image that a batch needs in addition to its pixels. */
export type Seen = Pick<Example, 'kept' | 'placement'>;

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
  // A batch outlives the `tf.tidy` in which it may be created.
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

/** Disposes of intermediate tensors, except those that the loss uses. */
function keepTensors(make: () => Supervision): Supervision {
  const made: Supervision[] = [];
  tf.tidy(() => {
    const supervision = make();
    for (const tensor of supervision.tensors) tf.keep(tensor);
    made.push(supervision);
  });
  return made[0]!;
}
