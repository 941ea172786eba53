/**
 * The built-in data set: generated pictures of ten forms, at any size, without a file or a download. Every picture
 * depends on its split and index alone, so that a smaller set is the beginning of a larger one.
 */
import { z } from 'zod';
import { canonicalJson, sha256 } from '../common/canonical.js';
import type { ByteImage } from '../common/image.js';
import { permutation, stream } from '../common/random.js';
import { count } from '../common/values.js';
import { DATA_KEYS, defineDataset, type DataOf } from './entry.js';
import { type Form, FORMS } from './forms.js';
import { PAINTER_VERSION, paintShape } from './shape-painter.js';
import { type Dataset, type ImageSource, splitOf } from './split.js';

const schema = z
  .strictObject({
    ...DATA_KEYS,
    // Optional as well as defaulted: without it, the discriminator itself would have to be written.
    name: z.literal('shapes').optional().default('shapes').describe('The data set.'),
    imageSize: DATA_KEYS.imageSize.default(32),
    trainImages: count.default(4000).describe('Number of training images generated.'),
    testImages: count.default(1000).describe('Number of test images generated.'),
  })
  .describe('Built in and generated: 10 classes told apart by form.');

export const shapes = defineDataset({ schema, targets: 'class', open: openShapes });

const CLASSES = Object.keys(FORMS);
const SHAPES: readonly Form[] = Object.values(FORMS);

/** Opens the generated data set; pictures are painted when they are first read, and kept. */
function openShapes({ imageSize, trainImages, testImages }: DataOf<typeof schema>): Dataset<'class'> {
  return {
    name: 'shapes',
    targets: 'class',
    classes: CLASSES,
    fingerprint: sha256(
      canonicalJson({ generator: 'shapes', version: PAINTER_VERSION, imageSize, trainImages, testImages }),
    ),
    train: splitOf(generated('train', trainImages, imageSize)),
    test: splitOf(generated('test', testImages, imageSize)),
  };
}

function generated(split: 'train' | 'test', length: number, size: number): ImageSource {
  const labels = balancedLabels(split, length);
  const painted = new Array<ByteImage | undefined>(length);
  return {
    labels,
    read(index) {
      painted[index] ??= paintShape(SHAPES[labels[index]!]!, size, stream(0, 'shapes', split, index));
      return Promise.resolve(painted[index]);
    },
  };
}

/** Every ten images in a row show every class once, in an order of their own. */
function balancedLabels(split: string, length: number): Uint32Array {
  const labels = new Uint32Array(length);
  for (let start = 0; start < length; start += CLASSES.length) {
    const order = permutation(CLASSES.length, stream(0, 'shapes', split, 'classes', start));
    labels.set(order.subarray(0, length - start), start);
  }
  return labels;
}
