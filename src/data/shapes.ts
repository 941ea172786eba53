/**
 * The built-in data set: generated pictures of ten forms, at any size, without a file or a download. Every picture
 * depends only on its split and index, so that a smaller set is the beginning of a larger one.
 */
import { z } from 'zod';
import { canonicalJson, sha256 } from '../common/canonical.js';
import type { ByteImage } from '../common/image.js';
import { permutation, stream } from '../common/random.js';
import { count } from '../common/values.js';
import { DATA_KEYS, defineDataset, type DataOf } from './entry.js';
import { type Form, FORMS } from './forms.js';
import { insideShape, PAINTER_VERSION, paintShape } from './shape-painter.js';
import { type Dataset, sampleSplitOf, type Split, splitOf } from './split.js';
import type { ClassMask } from './target.js';

const schema = z
  .strictObject({
    ...DATA_KEYS,
    // Optional as well as defaulted: without it, the discriminator itself would have to be written.
    name: z.literal('shapes').optional().default('shapes').describe('The data set.'),
    imageSize: DATA_KEYS.imageSize.default(32),
    trainImages: count.default(4000).describe('Number of training images generated.'),
    testImages: count.default(1000).describe('Number of test images generated.'),
    // false is left out: identities are those of the data set without the key.
    masks: z
      .union([z.boolean(), z.literal('figure')])
      .transform((value) => value || undefined)
      .optional()
      .describe(
        'Provide the class of every pixel in place of the class of the image: 0 for the background, and 1 to 10 for the forms; ' +
          'with figure, 1 for any form.',
      ),
  })
  .describe('Built in and generated: 10 classes that differ in form.');

export const shapes = defineDataset({
  schema,
  targets: ['class', 'mask'],
  targetsOf: ({ masks }) => (masks ? 'mask' : 'class'),
  open: openShapes,
});

const CLASSES = Object.keys(FORMS);
const SHAPES: readonly Form[] = Object.values(FORMS);

/** Opens the generated data set; pictures are painted when they are first read, and kept. */
function openShapes({ imageSize, trainImages, testImages, masks }: DataOf<typeof schema>): Dataset<'class' | 'mask'> {
  const common = {
    name: 'shapes',
    fingerprint: sha256(
      canonicalJson({ generator: 'shapes', version: PAINTER_VERSION, imageSize, trainImages, testImages }),
    ),
  };
  const [train, test] = [generated('train', trainImages, imageSize), generated('test', testImages, imageSize)];
  if (!masks) return { ...common, targets: 'class', classes: CLASSES, train: splitOf(train), test: splitOf(test) };
  return {
    ...common,
    targets: 'mask',
    classes: masks === 'figure' ? ['background', 'figure'] : ['background', ...CLASSES],
    train: withMasks(train, 'train', imageSize, masks),
    test: withMasks(test, 'test', imageSize, masks),
  };
}

interface Generated {
  labels: Uint32Array;
  read: (index: number) => Promise<ByteImage>;
}

const drawsOf = (split: string, index: number) => stream(0, 'shapes', split, index);

function generated(split: 'train' | 'test', length: number, size: number): Generated {
  const labels = balancedLabels(split, length);
  const painted = new Array<ByteImage | undefined>(length);
  return {
    labels,
    read(index) {
      painted[index] ??= paintShape(SHAPES[labels[index]!]!, size, drawsOf(split, index));
      return Promise.resolve(painted[index]);
    },
  };
}

/**
 * The same pictures with the class of every pixel: the class of the form if the centre of the pixel is inside it, else
 * the background.
 */
function withMasks({ labels, read }: Generated, split: string, size: number, masks: true | 'figure'): Split<ClassMask> {
  const drawn = new Array<ClassMask | undefined>(labels.length);
  const maskOf = (index: number): ClassMask => {
    const label = labels[index]!;
    const inside = insideShape(SHAPES[label]!, size, drawsOf(split, index));
    const figure = masks === 'figure' ? 1 : label + 1;
    return { data: Uint8Array.from(inside, (is) => (is ? figure : 0)), height: size, width: size };
  };
  return sampleSplitOf({
    labels,
    async read(index) {
      drawn[index] ??= maskOf(index);
      return { image: await read(index), target: drawn[index] };
    },
  });
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
