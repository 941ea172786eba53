/** The errors of a classifier on every corruption at every severity: the images are classified 80 times. */
import { mean } from '../common/sums.js';
import { CORRUPTION_NAMES, CORRUPTIONS, COUNTED_CORRUPTIONS, type CorruptionName } from '../data/corruptions/index.js';
import { SEVERITIES } from '../data/corruptions/corruption.js';
import { openCorrupter } from '../data/corrupters.js';
import type { ChangeOfView } from './evaluate.js';
import { Interrupted } from './interrupted.js';

export interface CorruptionErrors {
  /** In percent, over the corruptions of ImageNet-C. */
  meanError: number;
  /** In percent, over the four blurs, and on images with less colour. */
  blurError: number;
  greyError: number;
  /** In percent, each over its severities. */
  errors: Record<CorruptionName, number>;
}

/**
 * Measures a classifier.
 *
 * @param accuracyOn Its accuracy in percent on the images as a function changes them. The name stands for the function.
 * @param options The side of its views in pixels, and the cores that the process may have to itself.
 * @throws Interrupted if the stage is asked to stop.
 */
export async function corruptionErrors(
  accuracyOn: (change: ChangeOfView, name: string) => Promise<number>,
  { size, cores, signal }: { size: number; cores: number; signal: AbortSignal },
): Promise<CorruptionErrors> {
  const corrupt = openCorrupter({ size }, cores);
  const errors = {} as Record<CorruptionName, number>;
  for (const name of CORRUPTION_NAMES) {
    const each: number[] = [];
    for (const severity of SEVERITIES) {
      if (signal.aborted) throw new Interrupted('stopped before all corruptions were measured; they are measured anew');
      const change: ChangeOfView = (image, index) => corrupt({ image, name, severity, index });
      each.push(100 - (await accuracyOn(change, `${name} ${severity}`)));
    }
    errors[name] = mean(each);
  }
  const meanOf = (counts: (name: CorruptionName) => boolean): number =>
    mean(CORRUPTION_NAMES.filter(counts).map((name) => errors[name]));
  return {
    meanError: mean(COUNTED_CORRUPTIONS.map((name) => errors[name])),
    blurError: meanOf((name) => CORRUPTIONS[name].category === 'blur'),
    greyError: errors.grey,
    errors,
  };
}
