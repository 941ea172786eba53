/** What a data set provides with each image. Only evaluations look at it. */

/** The class of every pixel. */
export interface ClassMask {
  /** [height × width] classes of the data set, row by row; {@link IGNORED}: the pixel counts nowhere. */
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** In a mask: the pixel has no class, and neither losses nor metrics count it. */
export const IGNORED = 255;

/** The target of an image, by what the data set provides: the number of its class, a mask, or nothing. */
export interface Targets {
  class: number;
  mask: ClassMask;
  nothing: null;
}

export type TargetKind = keyof Targets;

/** In a sentence: `finetune needs classes of images`. */
export const TARGET_NAMES: Record<TargetKind, string> = {
  class: 'classes of images',
  mask: 'classes of pixels',
  nothing: 'nothing',
};
