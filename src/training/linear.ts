/**
 * Linear probe: a linear classifier on frozen, standardised features. By default by SGD with momentum on features that are
 * computed once; MAE's probe is by LARS on those of augmented views. (PAPER.md §10)
 */
import { stream } from '../common/random.js';
import { asList } from '../common/values.js';
import { toVariable } from '../model/parameters.js';
import { linear } from '../ops/index.js';
import type { EvaluationConfig, EvaluationContext } from '../stages/evaluation.js';
import type { Evaluation } from '../stages/index.js';
import type { LinearConfig, LinearNumbers } from '../stages/linear.js';
import type { ChangeOfView } from './evaluate.js';
import { withEncoder, type FrozenEncoder, type ScoredImages } from './features.js';
import type { Head } from './heads.js';
import { lars } from './optimizers/lars.js';
import type { Optimizer } from './optimizers/optimizer.js';
import { sgd } from './optimizers/sgd.js';
import { probe } from './probe.js';
import { augmentedFeatures, fixedFeatures, type TrainingFeatures } from './training-features.js';
import { augmentedView, augmenterOf } from './views.js';

const MOMENTUM = 0.9;
/** The defaults of torchvision's random resized crop and flip. */
const VIEWS = { cropScale: [0.08, 1], flip: true } as const;

/** Trains a classifier for each learning rate, and scores the best one. */
export async function linearProbe(config: LinearConfig, context: EvaluationContext<'class'>): Promise<LinearNumbers> {
  const begin = performance.now();
  const probed = await trainLinear(config, context);
  return { kind: config.kind, ...probed, seconds: (performance.now() - begin) / 1000 };
}

/** Scores the chosen classifier on the images that are measured, each of them changed. */
export type ScoreChanged = (name: string, change: ChangeOfView) => Promise<ScoredImages>;

type Config = EvaluationConfig<Evaluation, LinearConfig['recipe']>;

/**
 * Trains the linear probe of a recipe.
 *
 * @param measure Measures the chosen classifier on changed images.
 */
export function trainLinear(
  config: Config,
  context: EvaluationContext<'class'>,
  measure?: (score: ScoreChanged) => Promise<void>,
) {
  const { kind, recipe, seed } = config;
  const classes = context.dataset.classes.length;
  const rates = asList(recipe.baseLearningRate);
  return withEncoder(config, context, { choose: rates.length > 1 }, async (encoder) => {
    const train = await trainingFeatures(config, context, encoder);
    return probe({ train, ...encoder.measured }, context, {
      name: kind,
      recipe,
      rates,
      seed,
      makeHead: () => linearHead(config.model.dim, classes, recipe.optimizer === 'lars' ? seed : null),
      makeOptimizer: () => optimizerOf(recipe),
      reportsEpochs: recipe.augment === true,
      ...(measure && {
        measure: (score) => measure((name, change) => score(encoder.changed(name, change))),
      }),
    });
  });
}

async function trainingFeatures(
  { recipe, seed, model }: Config,
  { cores }: EvaluationContext<'class'>,
  { labelled, encode, train }: FrozenEncoder,
): Promise<TrainingFeatures> {
  if (recipe.augment !== true) return fixedFeatures(await train());
  const augment = augmenterOf({ ...VIEWS, seed, size: model.imageSize }, cores);
  return augmentedFeatures({
    images: labelled,
    size: model.imageSize,
    view: (index, epoch) => augmentedView(labelled, index, epoch, augment),
    encode,
  });
}

const optimizerOf = ({ optimizer }: LinearConfig['recipe']): Optimizer =>
  optimizer === 'lars' ? lars({ momentum: MOMENTUM }) : sgd({ momentum: MOMENTUM });

/** Standard deviation of the initial weights in MAE. */
const STD = 0.01;

/**
 * A linear classifier.
 *
 * @param seed null: weights of zero, which are a valid start: the problem is convex. LARS needs others, since its steps are
 * in proportion to the weights.
 */
export function linearHead(width: number, classes: number, seed: number | null): Head {
  const weights = new Float32Array(width * classes);
  if (seed !== null) {
    const random = stream(seed, 'linear', 'weight');
    for (let i = 0; i < weights.length; i++) weights[i] = random.normal(0, STD);
  }
  const weight = toVariable({ shape: [width, classes], data: weights }, true);
  const bias = toVariable({ shape: [classes], data: new Float32Array(classes) }, true);
  return {
    parameters: [
      { name: 'weight', value: weight, decays: true },
      { name: 'bias', value: bias, decays: false },
    ],
    scores: (features) => linear(features, weight, bias),
  };
}
