/** Robustness: a linear probe on frozen features of clean images, measured on corrupted ones. */
import { CORRUPTION_NAMES, CORRUPTIONS, corrupt, type CorruptionName } from '../data/corruptions/index.js';
import { SEVERITIES } from '../data/corruptions/corruption.js';
import { stepsPerEpoch } from '../data/batches.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { CorruptionKey, RobustnessConfig, RobustnessNumbers } from '../stages/robustness.js';
import { imagesPerStep } from './batch-size.js';
import { accuracies } from './evaluate.js';
import { probed, standardize, withFeatures } from './features.js';
import { fitProbe } from './linear.js';

/**
 * Trains the probe of `linear` on clean images and measures it on every corruption at every severity: the test images are
 * encoded 80 times.
 *
 * @throws TrainingError, Interrupted: as the linear probe.
 */
export async function robustness(
  config: RobustnessConfig,
  context: EvaluationContext<'class'>,
): Promise<RobustnessNumbers> {
  const begin = performance.now();
  const { recipe } = config;
  const { dataset, emit, device, signal } = context;
  const classes = dataset.classes.length;
  return withFeatures(config, context, async ({ train, test, encodeChanged }) => {
    const standardized = standardize(train, test);
    const steps = stepsPerEpoch(train.labels.length, recipe.batchSize) * recipe.epochs;
    emit({ type: 'started', device, steps, fromStep: 0 });
    const batchSize = imagesPerStep(recipe.batchSize, train.labels.length, emit);
    const { scored, loss } = await fitProbe(config, batchSize, train, classes, signal, async (score) => {
      const errors = {} as Record<CorruptionKey, number>;
      for (const name of CORRUPTION_NAMES) {
        const each: number[] = [];
        for (const severity of SEVERITIES) {
          const set = await encodeChanged((image, index) => corrupt(image, name, severity, index));
          standardized(set);
          each.push(100 - accuracies(await score(set), set.labels, classes).accuracy);
        }
        errors[`error_${name}`] = mean(each);
      }
      return { clean: await score(test), errors };
    });
    const { clean, errors } = scored;
    const counted = CORRUPTION_NAMES.filter(isCounted);
    return {
      kind: 'robustness',
      epochs: recipe.epochs,
      steps,
      seconds: (performance.now() - begin) / 1000,
      loss,
      batchSize,
      chanceLoss: Math.log(classes),
      meanError: mean(counted.map((name) => errors[`error_${name}`])),
      ...errors,
      ...probed(clean, { train, test }, dataset),
    };
  });
}

/** Whether a corruption counts in the mean: it is one of ImageNet-C. */
const isCounted = (name: CorruptionName): boolean => CORRUPTIONS[name].category !== 'extra';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
