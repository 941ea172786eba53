/**
 * `data.validation`: images that are taken from the training images to choose hyper-parameters on. They are the same
 * for every cell and every seed of a sweep: they depend only on the data set and `splitSeed`.
 */
import { z } from 'zod';
import { UsageError } from '../common/errors.js';
import { permutation, stream } from '../common/random.js';
import { count, share } from '../common/values.js';
import { folderBelow } from './folder-below.js';
import { indicesByClass, type Split } from './split.js';

/** How many images are drawn from the training images, and by which seed. */
export type DrawnValidation = ({ fraction: number } | { images: number }) & { splitSeed: number };

/** Validation images: drawn, or those of a folder. */
export type Validation = (DrawnValidation | { folder: string }) & {
  /** Pre-training uses the images too. Absent: it does not. */
  pretrain?: 'include';
  /** Set in the configuration of a stage that trains on the images of the folder too. */
  joined?: true;
};

const PLACES = ['fraction', 'images', 'folder'] as const;

/** The text after "expected" if a mapping has none or several of the three keys. */
const ONE_PLACE = 'expected one of fraction, images and folder';

const fractionOfImages = z.number().gt(0).lt(1);

const mapping = z
  .strictObject({
    fraction: share(fractionOfImages).optional().describe('Fraction of the training images.'),
    images: count.optional().describe('Number of training images.'),
    folder: folderBelow
      .optional()
      .describe('Folder of the validation images, below data.path; of data sets that are folders of images.'),
    splitSeed: z
      .int()
      .nonnegative()
      .optional()
      .describe("Root of the random stream that draws them; 0 by default. The job's seed has no influence."),
    pretrain: z
      .enum(['exclude', 'include'])
      .optional()
      .describe('Whether pre-training, which sees no labels, uses these images too; exclude by default.'),
  })
  .refine((given) => PLACES.filter((key) => given[key] !== undefined).length === 1, ONE_PLACE)
  .refine((given) => given.folder === undefined || given.splitSeed === undefined, {
    message: 'expected no splitSeed with folder: its images are not drawn',
  });

/** The key `validation` of every data set. A number is a fraction. */
export const validationKey = z
  .union([...share(fractionOfImages).options, mapping])
  .transform((given): Validation => {
    const {
      fraction,
      images,
      folder,
      splitSeed = 0,
      pretrain,
    } = typeof given === 'number' ? { fraction: given } : given;
    const others = pretrain === 'include' ? { pretrain } : {};
    if (folder !== undefined) return { folder, ...others };
    return images === undefined ? { fraction: fraction!, splitSeed, ...others } : { images, splitSeed, ...others };
  })
  .optional()
  .describe(
    'Images that are kept out of training, to choose hyper-parameters on: a fraction of the training images, such as 0.1, ' +
      'or one of { fraction: 0.1 }, { images: 5000 }, { folder: val }.',
  );

/**
 * The key of a stage: the images that it is kept from, or that it has besides those of the training folder.
 *
 * @param joined Whether it trains on the validation images too.
 * @returns undefined: the stage is the same as without validation.
 */
export function validationOf(validation: Validation | undefined, joined: boolean): Validation | undefined {
  if (validation === undefined) return undefined;
  const { pretrain: _, ...place } = validation;
  if (!joined) return place;
  return 'folder' in place ? { ...place, joined: true } : undefined;
}

/** A split in two parts. */
export interface Separated<Target> {
  train: Split<Target>;
  validation: Split<Target>;
}

/**
 * Separates the validation images from the training images.
 *
 * @throws UsageError if a class would have no training image left.
 */
export function separateValidation<Target>(split: Split<Target>, drawn: DrawnValidation): Separated<Target> {
  const chosen = new Set(drawValidation(split.labels, drawn));
  const all = Array.from({ length: split.length }, (_, index) => index);
  return {
    train: split.subset(all.filter((index) => !chosen.has(index))),
    validation: split.subset(all.filter((index) => chosen.has(index))),
  };
}

/**
 * The indices of the validation images, ascending: a stratified draw without replacement, in which each class has the
 * number of {@link classShares}.
 *
 * @throws UsageError if a class would have no training image left.
 */
export function drawValidation(labels: Uint32Array, drawn: DrawnValidation): number[] {
  const byClass = indicesByClass(labels);
  const total = 'images' in drawn ? drawn.images : Math.max(1, Math.round(drawn.fraction * labels.length));
  const most = byClass.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0);
  if (total > most) {
    throw new UsageError(
      `data.validation takes ${total} of ${labels.length} training images, but each class must keep one: it can take at ` +
        `most ${most}; lower data.validation`,
    );
  }
  const shares = classShares(
    byClass.map(({ length }) => length),
    total,
  );
  return byClass
    .flatMap((indices, label) => {
      const order = permutation(indices.length, stream(drawn.splitSeed, 'validation', label));
      return Array.from(order.subarray(0, shares[label]), (place) => indices[place]!);
    })
    .sort((a, b) => a - b);
}

/**
 * The number of images drawn from each class, by the method of largest remainders: the class's share of all images
 * times `total`, rounded down; the classes with the largest remainders have one more, of equal ones the first classes.
 * Each class keeps one image.
 *
 * @param counts Images of each class.
 * @param total To draw; at most the sum of `counts`, less 1 for each class that has images.
 */
export function classShares(counts: readonly number[], total: number): number[] {
  const all = counts.reduce((a, b) => a + b, 0);
  const most = counts.map((own) => Math.max(0, own - 1));
  // Whole numbers, so that equal remainders are equal: the quota is own · total / all.
  const shares = counts.map((own, label) => Math.min(most[label]!, Math.floor((own * total) / all)));
  const byRemainder = counts
    .map((own, label) => ({ label, remainder: (own * total) % all }))
    .sort((a, b) => b.remainder - a.remainder || a.label - b.label);
  let left = total - shares.reduce((a, b) => a + b, 0);
  while (left > 0) {
    for (const { label } of byRemainder) {
      if (left === 0 || shares[label]! >= most[label]!) continue;
      shares[label]! += 1;
      left -= 1;
    }
  }
  return shares;
}
