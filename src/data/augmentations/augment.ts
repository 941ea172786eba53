/** Applies the steps of augmentation to one image. */
import type { z } from 'zod';
import type { ByteImage } from '../../common/image.js';
import { stream } from '../../common/random.js';
import { filterTaps } from '../../common/resample.js';
import { viewPixels, type View } from '../../common/view.js';
import type { Augmentation, Patch, ReadonlyValues } from './augmentation.js';
import { AUGMENTATIONS, type KeysFor } from './index.js';

/** The values of the keys of steps, those of pre-training or of fine-tuning. */
export type AugmentationRecipe = ReadonlyValues<z.output<z.ZodObject<KeysFor<'pretrain'> & KeysFor<'finetune'>>>>;

/** The random streams of an image. */
export interface AugmentationDraws {
  seed: number;
  epoch: number;
  /** Of the image in its split. */
  index: number;
}

/** What training sees of an image. */
export interface Augmented {
  readonly view: View;
  /** Boxes of the normalised view that are replaced, in this order. */
  readonly patches: readonly Patch[];
}

interface Step {
  readonly name: string;
  readonly step: Augmentation<AugmentationRecipe>;
  readonly keys: readonly string[];
}

const STEPS: readonly Step[] = Object.entries(AUGMENTATIONS).map(([name, step]) => ({
  name,
  step,
  keys: Object.keys(step.keys({ cropScale: [1, 1] })),
}));

/** Whether a step after the view takes part: one of its keys is present. */
function takesPart({ step, keys }: Step, recipe: AugmentationRecipe): boolean {
  const values: Readonly<Partial<Record<string, unknown>>> = recipe;
  return step.kind !== 'view' && keys.some((key) => values[key] !== undefined);
}

/** Whether {@link augment} computes pixels: a step on bytes or on normalised values takes part. */
export const changesPixels = (recipe: AugmentationRecipe): boolean => STEPS.some((each) => takesPart(each, recipe));

/**
 * A random view of an image. The draws depend only on seed, epoch and index: every objective of a seed sees the same
 * views.
 *
 * If a step after the view takes part, the view is computed here and rounded to bytes, and the memory of the image is
 * released. Otherwise nothing is computed before the view is used.
 *
 * @param size Side of the view, in pixels.
 */
export function augment(
  image: ByteImage,
  size: number,
  recipe: AugmentationRecipe,
  { seed, epoch, index }: AugmentationDraws,
): Augmented {
  const geometry = stream(seed, 'augment', epoch, index);
  let view = wholeView(image);
  for (const { step } of STEPS) if (step.kind === 'view') view = step.apply(view, recipe, size, geometry);
  const further = STEPS.filter((each) => takesPart(each, recipe));
  if (further.length === 0) return { view, patches: [] };

  let bytes = bytesOf(view);
  image.release?.();
  const patches: Patch[] = [];
  for (const { name, step } of further) {
    const random = stream(seed, 'augment', name, epoch, index);
    if (step.kind === 'pixels') bytes = step.draw(recipe, random)?.(bytes) ?? bytes;
    if (step.kind === 'patch') patches.push(...step.draw(recipe, size, random));
  }
  return { view: wholeView(bytes), patches };
}

/** An image as it is. Its taps are made when they are read: a crop replaces them unread. */
export function wholeView(image: ByteImage): View {
  const asItIs = (side: number) => filterTaps('area', side, side);
  return {
    image,
    top: 0,
    left: 0,
    get rows() {
      return asItIs(image.height);
    },
    get columns() {
      return asItIs(image.width);
    },
    mirrored: false,
  };
}

function bytesOf(view: View): ByteImage {
  const { data, height, width } = viewPixels(view);
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) bytes[i] = Math.round(255 * data[i]!);
  return { data: bytes, height, width };
}
