/** Robustness: a linear probe on frozen features of clean images, measured on corrupted ones. */
import { CORRUPTION_NAMES } from '../data/corruptions/index.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { CorruptionKey, RobustnessConfig, RobustnessNumbers } from '../stages/robustness.js';
import { corruptionErrors, type CorruptionErrors } from './corruption-errors.js';
import { accuracies } from './evaluate.js';
import { trainLinear } from './linear.js';

/**
 * Trains the probe of `linear` on clean images and measures it on every corruption at every severity.
 *
 * @throws TrainingError, Interrupted: as the linear probe.
 */
export async function robustness(
  config: RobustnessConfig,
  context: EvaluationContext<'class'>,
): Promise<RobustnessNumbers> {
  const begin = performance.now();
  const classes = context.dataset.classes.length;
  let measured: CorruptionErrors | undefined;
  const probed = await trainLinear(config, context, async (score) => {
    measured = await corruptionErrors(
      async (change, name) => {
        const { scores, labels } = await score(name, change);
        return accuracies(scores, labels, classes).accuracy;
      },
      { size: config.model.imageSize, ...context },
    );
  });
  const { errors, ...means } = measured!;
  const each = Object.fromEntries(CORRUPTION_NAMES.map((name) => [`error_${name}`, errors[name]]));
  return {
    kind: config.kind,
    ...probed,
    ...means,
    ...(each as Record<CorruptionKey, number>),
    seconds: (performance.now() - begin) / 1000,
  };
}
