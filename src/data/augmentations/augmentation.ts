/** What a step of augmentation is: a pure function of an image, its keys of a recipe and a random stream. */
import type { z } from 'zod';
import type { ByteImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';
import type { View } from '../../common/view.js';

/** The recipes that have keys of augmentation. */
export type AugmentedStage = 'pretrain' | 'finetune';

const BOTH = ['pretrain', 'finetune'] as const satisfies readonly AugmentedStage[];

/** Defaults of keys that differ between pre-training and fine-tuning. */
export interface AugmentationDefaults {
  cropScale: [number, number];
}

/** The keys that a step adds to a recipe. */
export type AugmentationKeys = (defaults: AugmentationDefaults) => z.core.$ZodLooseShape;

/** The values of a step's keys. */
export type OptionsOf<Keys extends AugmentationKeys> = ReadonlyValues<z.output<z.ZodObject<ReturnType<Keys>>>>;

export type ReadonlyValues<Values> = { readonly [Key in keyof Values]: Readonly<Values[Key]> };

/** A step that chooses which pixels are seen. The view is computed once, after all of them, here or on the device. */
export interface ViewStep<Options> {
  kind: 'view';
  /** @param size Side of the view, in pixels. */
  apply: (view: View, options: Options, size: number, random: Random) => View;
}

/** A step that changes the pixels of a view, in bytes. */
export interface PixelStep<Options> {
  kind: 'pixels';
  /** Draws what happens to one image, from a random stream of the step's own; null: nothing. */
  draw: (options: Options, random: Random) => ((image: ByteImage) => ByteImage) | null;
}

/** A box of an image with other values, which are ImageNet-normalised. */
export interface Patch {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** [height × width × 3] */
  readonly values: Float32Array;
}

/** A step that replaces a box of the normalised image. It follows all others; images are mixed after it. */
export interface PatchStep<Options> {
  kind: 'patch';
  /**
   * Draws boxes with their values, from a random stream of the step's own.
   *
   * @param size Side of the view, in pixels.
   */
  draw: (options: Options, size: number, random: Random) => readonly Patch[];
}

export type Augmentation<Options> = ViewStep<Options> | PixelStep<Options> | PatchStep<Options>;

/** A step of the geometry. */
export function viewStep<Keys extends AugmentationKeys>(keys: Keys, apply: ViewStep<OptionsOf<Keys>>['apply']) {
  return { kind: 'view', for: BOTH, keys, apply } as const;
}

/** A step on normalised values. Its keys are optional: the step is used if one of them is present. */
export function patchStep<Keys extends AugmentationKeys>(keys: Keys, draw: PatchStep<OptionsOf<Keys>>['draw']) {
  return { kind: 'patch', for: BOTH, keys, draw } as const;
}

/**
 * A step on bytes. Its keys are optional: the step is used if one of them is present. Views are then rounded to bytes.
 *
 * @param draw Draws the numbers of the step; null: the image stays as it is.
 * @param apply Pure: the same image for the same numbers. It returns a new image of the same size.
 */
export function pixelStep<Keys extends AugmentationKeys, Drawn>(
  keys: Keys,
  draw: (options: OptionsOf<Keys>, random: Random) => Drawn | null,
  apply: (image: ByteImage, drawn: Drawn) => ByteImage,
) {
  return {
    kind: 'pixels',
    for: BOTH,
    keys,
    apply,
    draw: (options: OptionsOf<Keys>, random: Random) => {
      const drawn = draw(options, random);
      return drawn === null ? null : (image: ByteImage) => apply(image, drawn);
    },
  } as const;
}

/** A step whose keys only some of the recipes have. */
export function onlyFor<const Stages extends readonly AugmentedStage[], Step extends { for: unknown }>(
  stages: Stages,
  step: Step,
): Omit<Step, 'for'> & { readonly for: Stages } {
  return { ...step, for: stages };
}
