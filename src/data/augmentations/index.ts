/** Every step of augmentation, in the order in which they are applied. Adding one is a file beside this and a line here. */
import { registry } from '../../common/registry.js';
import { crop } from './crop.js';
import { flip } from './flip.js';
import { randAugment } from './rand-augment.js';
import { randomErasing } from './random-erasing.js';
import type { AugmentationDefaults, AugmentationKeys, AugmentedStage } from './augmentation.js';

/** Steps of the geometry come before those on pixels, and those before the ones on normalised values. */
export const AUGMENTATIONS = registry({
  crop,
  flip,
  randAugment,
  randomErasing,
});

type Steps = typeof AUGMENTATIONS;
type KeysOfSteps<Stage extends AugmentedStage> = {
  [Name in keyof Steps]: Stage extends Steps[Name]['for'][number] ? ReturnType<Steps[Name]['keys']> : never;
}[keyof Steps];
type Together<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** The keys of the steps that a recipe has. */
export type KeysFor<Stage extends AugmentedStage> = Together<KeysOfSteps<Stage>>;

/** The keys of the steps that a recipe has, with its defaults. */
export function augmentationKeys<Stage extends AugmentedStage>(
  stage: Stage,
  defaults: AugmentationDefaults,
): KeysFor<Stage> {
  const steps: readonly { for: readonly AugmentedStage[]; keys: AugmentationKeys }[] = Object.values(AUGMENTATIONS);
  const keys = steps.filter((step) => step.for.includes(stage)).map((step) => step.keys(defaults));
  return Object.assign({}, ...keys) as KeysFor<Stage>;
}
