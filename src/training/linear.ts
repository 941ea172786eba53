/** Linear probe: a linear classifier on frozen, standardised features, by SGD with momentum. (PAPER.md §10) */
import { asList } from '../common/values.js';
import { zeroVariable } from '../model/parameters.js';
import { linear } from '../ops/index.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { Evaluation } from '../stages/index.js';
import type { LinearConfig, LinearNumbers } from '../stages/linear.js';
import { extractFeatures, standardize, type ProbeFeatures } from './features.js';
import type { Head } from './heads.js';
import { sgd } from './optimizers/sgd.js';
import { probe, type ProbeOptions } from './probe.js';

const MOMENTUM = 0.9;

/** Extracts features, trains a classifier for each learning rate, and scores the best one. */
export async function linearProbe(config: LinearConfig, context: EvaluationContext<'class'>): Promise<LinearNumbers> {
  const begin = performance.now();
  const rates = asList(config.recipe.baseLearningRate);
  const features = await extractFeatures(config, context, { choose: rates.length > 1 });
  standardize(features);
  const probed = await probe(features, context, linearOptions(config, features, context.dataset.classes.length));
  return { kind: config.kind, ...probed, seconds: (performance.now() - begin) / 1000 };
}

/** The options of {@link probe} for a linear classifier. */
export function linearOptions(
  { kind, recipe, seed }: { kind: Evaluation } & Pick<LinearConfig, 'recipe' | 'seed'>,
  { train }: ProbeFeatures,
  classes: number,
): ProbeOptions {
  return {
    name: kind,
    recipe,
    rates: asList(recipe.baseLearningRate),
    seed,
    makeHead: () => linearHead(train.width, classes),
    makeOptimizer: () => sgd({ momentum: MOMENTUM }),
  };
}

/** A linear classifier of zeros, which are a valid start: the problem is convex. */
function linearHead(width: number, classes: number): Head {
  const [weight, bias] = [zeroVariable([width, classes], true), zeroVariable([classes], true)];
  return {
    parameters: [
      { name: 'weight', value: weight, decays: true },
      { name: 'bias', value: bias, decays: false },
    ],
    scores: (features) => linear(features, weight, bias),
  };
}
