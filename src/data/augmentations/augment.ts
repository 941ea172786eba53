/** Applies the steps of augmentation to one image. */
import type { z } from 'zod';
import type { ByteImage } from '../../common/image.js';
import { stream } from '../../common/random.js';
import { filterTaps } from '../../common/resample.js';
import { viewPixels, type View } from '../../common/view.js';
import type { Augmentation, ReadonlyValues } from './augmentation.js';
import { AUGMENTATIONS, type augmentationKeys } from './index.js';

/** The values of the keys of all steps. */
export type AugmentationRecipe = ReadonlyValues<z.output<z.ZodObject<ReturnType<typeof augmentationKeys>>>>;

/** The random streams of an image. */
export interface AugmentationDraws {
  seed: number;
  epoch: number;
  /** Of the image in its split. */
  index: number;
}

const STEPS: readonly [name: string, step: Augmentation<AugmentationRecipe>][] = Object.entries(AUGMENTATIONS);

/**
 * A random view of an image. The draws depend on seed, epoch and index alone: every objective of a seed sees the same
 * views.
 *
 * Where a step on pixels takes part, the view is computed here and rounded to bytes first; otherwise nothing is computed
 * before the view is used.
 *
 * @param size Side of the view, in pixels.
 */
export function augment(
  image: ByteImage,
  size: number,
  recipe: AugmentationRecipe,
  { seed, epoch, index }: AugmentationDraws,
): View {
  const geometry = stream(seed, 'augment', epoch, index);
  let view = wholeView(image);
  const onPixels: ((image: ByteImage) => ByteImage)[] = [];
  for (const [name, step] of STEPS) {
    if (step.kind === 'view') view = step.apply(view, recipe, size, geometry);
    else onPixels.push(step.draw(recipe, stream(seed, 'augment', name, epoch, index)) ?? unchanged);
  }
  const changing = onPixels.filter((apply) => apply !== unchanged);
  if (changing.length === 0) return view;
  const bytes = bytesOf(view);
  image.release?.();
  return wholeView(changing.reduce((before, apply) => apply(before), bytes));
}

const unchanged = (image: ByteImage): ByteImage => image;

/** An image as it is. Its taps are made when they are read: a crop replaces them unread. */
function wholeView(image: ByteImage): View {
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
  return { data: Uint8Array.from(data, (value) => Math.round(255 * value)), height, width };
}
