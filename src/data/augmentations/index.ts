/** Every step of augmentation, in the order in which they are applied. Adding one is a file beside this and a line here. */
import { registry } from '../../common/registry.js';
import { crop } from './crop.js';
import { flip } from './flip.js';
import { randAugment } from './rand-augment.js';
import { randomErasing } from './random-erasing.js';
import type { AugmentationDefaults } from './augmentation.js';

/** Steps of the geometry come before those on pixels, and those before the ones on normalised values. */
export const AUGMENTATIONS = registry({
  crop,
  flip,
  randAugment,
  randomErasing,
});

type Steps = typeof AUGMENTATIONS;
type KeysOfSteps = { [Name in keyof Steps]: ReturnType<Steps[Name]['keys']> }[keyof Steps];
type Together<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** The keys of all steps, as a recipe has them. */
export function augmentationKeys(defaults: AugmentationDefaults): Together<KeysOfSteps> {
  const keys = Object.values(AUGMENTATIONS).map((step) => step.keys(defaults));
  return Object.assign({}, ...keys) as Together<KeysOfSteps>;
}
