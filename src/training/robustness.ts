/** Robustness: a linear probe on frozen features of clean images, measured on corrupted ones. */
import { mean } from '../common/sums.js';
import { CORRUPTION_NAMES, CORRUPTIONS, corrupt, type CorruptionName } from '../data/corruptions/index.js';
import { SEVERITIES } from '../data/corruptions/corruption.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { CorruptionKey, RobustnessConfig, RobustnessNumbers } from '../stages/robustness.js';
import { accuracies } from './evaluate.js';
import type { ChangeOfView } from './features.js';
import { trainLinear } from './linear.js';

/**
 * Trains the probe of `linear` on clean images and measures it on every corruption at every severity: the test images are
 * encoded 81 times.
 *
 * @throws TrainingError, Interrupted: as the linear probe.
 */
export async function robustness(
  config: RobustnessConfig,
  context: EvaluationContext<'class'>,
): Promise<RobustnessNumbers> {
  const begin = performance.now();
  const classes = context.dataset.classes.length;
  const errors = {} as Record<CorruptionKey, number>;
  const probed = await trainLinear(config, context, async (score) => {
    for (const name of CORRUPTION_NAMES) {
      const each: number[] = [];
      for (const severity of SEVERITIES) {
        const change: ChangeOfView = (image, index) => corrupt(image, name, severity, index);
        const { scores, labels } = await score(`${name} ${severity}`, change);
        each.push(100 - accuracies(scores, labels, classes).accuracy);
      }
      errors[`error_${name}`] = mean(each);
    }
  });
  const meanError = mean(CORRUPTION_NAMES.filter(isCounted).map((name) => errors[`error_${name}`]));
  return { kind: config.kind, ...probed, meanError, ...errors, seconds: (performance.now() - begin) / 1000 };
}

/** Whether a corruption counts in the mean: it is one of ImageNet-C. */
const isCounted = (name: CorruptionName): boolean => CORRUPTIONS[name].category !== 'extra';
