/** Robustness: a linear probe on frozen features of clean images, measured on corrupted ones. */
import { mean } from '../common/sums.js';
import { asList } from '../common/values.js';
import { CORRUPTION_NAMES, CORRUPTIONS, corrupt, type CorruptionName } from '../data/corruptions/index.js';
import { SEVERITIES } from '../data/corruptions/corruption.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { CorruptionKey, RobustnessConfig, RobustnessNumbers } from '../stages/robustness.js';
import { accuracies } from './evaluate.js';
import { standardize, withFeatures } from './features.js';
import { linearOptions } from './linear.js';
import { probe } from './probe.js';

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
  const choose = asList(config.recipe.baseLearningRate).length > 1;
  return withFeatures(config, context, { choose }, async (features, encodeChanged) => {
    const standardizeOther = standardize(features);
    const errors = {} as Record<CorruptionKey, number>;
    const probed = await probe(features, context, {
      ...linearOptions(config, features, classes),
      async measure(score) {
        for (const name of CORRUPTION_NAMES) {
          const each: number[] = [];
          for (const severity of SEVERITIES) {
            const set = await encodeChanged((image, index) => corrupt(image, name, severity, index));
            standardizeOther(set);
            each.push(100 - accuracies(await score(set), set.labels, classes).accuracy);
          }
          errors[`error_${name}`] = mean(each);
        }
      },
    });
    const meanError = mean(CORRUPTION_NAMES.filter(isCounted).map((name) => errors[`error_${name}`]));
    return { kind: config.kind, ...probed, meanError, ...errors, seconds: (performance.now() - begin) / 1000 };
  });
}

/** Whether a corruption counts in the mean: it is one of ImageNet-C. */
const isCounted = (name: CorruptionName): boolean => CORRUPTIONS[name].category !== 'extra';
