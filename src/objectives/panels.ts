/**
 * The effect of an objective on images, as images side by side: original, input, visible tokens, target and, with a
 * model, its reconstruction. Plain data; `contact-sheet.ts` and `npy.ts` write it to files.
 */
import * as tf from '@tensorflow/tfjs';
import { denormalizeImage, stackPixels, type FloatImage } from '../common/image.js';
import { resampleImage, wholeImage } from '../common/resample.js';
import type { Batch, Example, Objective } from './compose.js';

/** Square images of the same size in [0, 1]: one row for each example, one column for each caption. */
export interface Panels {
  readonly captions: readonly string[];
  readonly rows: readonly (readonly FloatImage[])[];
}

/** The colour of removed tokens. */
const GREY = 0.5;

/**
 * Creates the panels of some examples, all of the objective's image size. They include `visible` if tokens are removed,
 * and `reconstruction` if there is a model and the target is an image. The reconstruction uses the mean and deviation
 * of each patch of the clean image, since a normalised prediction has none (PAPER.md §5). If the size of the field is
 * not the one of the image, the target is the field after area resampling, on the grid of the prediction.
 *
 * @param predict A model's prediction [B, N, outputs] for a batch; it is disposed of here.
 */
export async function previewPanels(
  objective: Objective,
  examples: readonly Example[],
  predict?: (batch: Batch) => tf.Tensor3D,
): Promise<Panels> {
  const batch = objective.batch(examples);
  const targets = await imagesOf(objective.picture(batch));
  const reconstructions =
    predict && objective.reconstruct ? await reconstruct(objective.reconstruct, batch, predict) : undefined;
  batch.dispose();

  const { imageSize } = objective;
  const columns: [caption: string, panel: (example: Example, row: number) => FloatImage][] = [
    ['original', ({ field }) => resampleImage(field, wholeImage(field), imageSize, imageSize, 'bicubic')],
    ['input', ({ input }) => displayable(input)],
  ];
  if (objective.task.maskRatio > 0) {
    columns.push(['visible', ({ input, kept }) => hideRemoved(displayable(input), kept, objective.patchSize)]);
  }
  columns.push(['target', (_, row) => targets[row]!]);
  if (reconstructions) columns.push(['reconstruction', (_, row) => reconstructions[row]!]);
  return {
    captions: columns.map(([caption]) => caption),
    rows: examples.map((example, row) => columns.map(([, panel]) => panel(example, row))),
  };
}

/**
 * The panels that show a trained model: the original, the encoder's input, the reconstruction if there is one, and the
 * target if it differs from the original. Panels larger than `side` pixels are shrunk to it.
 */
export function reconstructionStrip({ captions, rows }: Panels, side: number): Panels {
  const at = (caption: string): number => captions.indexOf(caption);
  const seen = captions.includes('visible') ? 'visible' : 'input';
  const differs = rows.some((row) => !looksLike(row[at('target')]!, row[at('original')]!));
  const rebuilt = captions.filter((caption) => caption === 'reconstruction');
  const chosen = ['original', seen, ...rebuilt, ...(differs ? ['target'] : [])];
  return {
    captions: chosen.map((caption) => (caption === seen ? 'input' : caption)),
    rows: rows.map((row) => chosen.map((caption) => shrunk(row[at(caption)]!, side))),
  };
}

/** Whether every pixel differs by less than one level of a byte. */
function looksLike(a: FloatImage, b: FloatImage): boolean {
  return a.data.every((value, i) => Math.abs(value - b.data[i]!) < 1 / 255);
}

function shrunk(image: FloatImage, side: number): FloatImage {
  return image.width <= side ? image : resampleImage(image, wholeImage(image), side, side, 'area');
}

/** All values of the panels as one array, and its shape [rows, panels, height, width, 3]. */
export function panelArray({ rows }: Panels): { data: Float32Array; shape: number[] } {
  const { height, width } = rows[0]![0]!;
  return { data: stackPixels(rows.flat()), shape: [rows.length, rows[0]!.length, height, width, 3] };
}

async function reconstruct(
  toPictures: NonNullable<Objective['reconstruct']>,
  batch: Batch,
  predict: (batch: Batch) => tf.Tensor3D,
): Promise<FloatImage[]> {
  const prediction = tf.tidy(() => predict(batch));
  const pictures = toPictures(prediction, batch);
  prediction.dispose();
  return imagesOf(pictures);
}

/** Downloads images and disposes of their tensor. */
async function imagesOf(pictures: tf.Tensor4D): Promise<FloatImage[]> {
  const [count, height, width] = pictures.shape;
  const values = await pictures.data<'float32'>();
  pictures.dispose();
  const length = height * width * 3;
  return Array.from({ length: count }, (_, i) => ({ data: values.slice(i * length, (i + 1) * length), height, width }));
}

/** An ImageNet-normalised image as pixels; values that a blur has moved outside [0, 1] are clipped. */
function displayable(image: FloatImage): FloatImage {
  const pixels = denormalizeImage(image);
  return { ...pixels, data: pixels.data.map((value) => Math.min(Math.max(value, 0), 1)) };
}

function hideRemoved(image: FloatImage, kept: Int32Array | null, patchSize: number): FloatImage {
  const columns = image.width / patchSize;
  const visible = new Set(kept);
  const tokenOf = (i: number): number => {
    const pixel = Math.floor(i / 3);
    const row = Math.floor(Math.floor(pixel / image.width) / patchSize);
    return row * columns + Math.floor((pixel % image.width) / patchSize);
  };
  return { ...image, data: image.data.map((value, i) => (visible.has(tokenOf(i)) ? value : GREY)) };
}
