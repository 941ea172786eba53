/**
 * Attentive probe (Chen et al. 2024; El-Nouby et al. 2024): tokens are standardised per feature as by a batch norm without
 * parameters, one learned query attends to their keys with several heads, and a linear layer classifies the gathered values.
 * Neither keys nor values have a bias.
 */
import * as tf from '@tensorflow/tfjs';
import { stream } from '../common/random.js';
import { asList } from '../common/values.js';
import { toVariable } from '../model/parameters.js';
import { linear } from '../ops/index.js';
import type { AttentiveConfig, AttentiveNumbers } from '../stages/attentive.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import { withEncoder } from './features.js';
import type { Head, HeadParameter } from './heads.js';
import { adamW } from './optimizers/adamw.js';
import { probe } from './probe.js';
import { fixedFeatures } from './training-features.js';

const BETAS = { beta1: 0.9, beta2: 0.999 };
/** Standard deviation of the initial values, as of the tokens and classifiers of a ViT. */
const STD = 0.02;

/**
 * Extracts the tokens of the training images, trains a head for each learning rate, and scores the best one. The tokens of
 * the other images are in memory a part at a time.
 */
export async function attentiveProbe(
  config: AttentiveConfig,
  context: EvaluationContext<'class'>,
): Promise<AttentiveNumbers> {
  const begin = performance.now();
  const { model, recipe, seed } = config;
  const { dataset } = context;
  const rates = asList(recipe.baseLearningRate);
  const classes = dataset.classes.length;
  const tokens = (model.imageSize / model.patchSize) ** 2;
  const sizes = { tokens, dim: model.dim, heads: model.heads, classes };
  const options = { choose: rates.length > 1, read: 'tokens' } as const;
  const probed = await withEncoder(config, context, options, async ({ train, measured }) =>
    probe({ train: fixedFeatures(await train(), model.dim), ...measured }, context, {
      name: config.kind,
      recipe,
      rates,
      seed,
      makeHead: () => attentiveHead(sizes, (name, length) => normals(seed, name, length)),
      makeOptimizer: () => adamW(BETAS),
    }),
  );
  return { kind: config.kind, ...probed, seconds: (performance.now() - begin) / 1000 };
}

function normals(seed: number, name: string, length: number): Float32Array {
  const random = stream(seed, 'attentive', name);
  return Float32Array.from({ length }, () => random.normal(0, STD));
}

export interface AttentiveSizes {
  /** Patch tokens of an image. */
  tokens: number;
  dim: number;
  heads: number;
  classes: number;
}

/**
 * The head. Its scores follow from these identities, which save the product of every token with both matrices:
 *
 * - A head's score of token x is (x·K)·q = x·(K·q), with the columns of K and the part of q that belong to the head.
 * - What it gathers is Σ a·(x·V) = (Σ a·x)·V, since its weights a do not depend on the values.
 *
 * @param draw The initial values of a parameter.
 */
export function attentiveHead(
  { tokens, dim, heads, classes }: AttentiveSizes,
  draw: (name: string, length: number) => Float32Array,
): Head {
  const own = dim / heads;
  const parameter = (name: string, shape: number[], decays: boolean): HeadParameter => {
    const length = shape.reduce((a, b) => a * b, 1);
    const data = name === 'bias' ? new Float32Array(length) : draw(name, length);
    return { name, value: toVariable({ shape, data }, true), decays };
  };
  const parameters = [
    parameter('query', [dim], false),
    parameter('key', [dim, dim], true),
    parameter('value', [dim, dim], true),
    parameter('weight', [dim, classes], true),
    parameter('bias', [classes], false),
  ];
  const [query, key, value, weight, bias] = parameters.map((each) => each.value) as [
    tf.Variable,
    tf.Variable,
    tf.Variable,
    tf.Variable,
    tf.Variable,
  ];
  return {
    parameters,
    scores: (features) => {
      const batch = features.shape[0];
      const x = tf.reshape(features, [batch, tokens, dim]);
      const asked = tf.sum(tf.mul(tf.reshape(key, [dim, heads, own]), tf.reshape(query, [1, heads, own])), 2);
      const scores = tf.reshape(tf.matMul(tf.reshape(features, [batch * tokens, dim]), asked as tf.Tensor2D), [
        batch,
        tokens,
        heads,
      ]);
      const attention = tf.softmax(tf.transpose(tf.div(scores, Math.sqrt(own)), [0, 2, 1]));
      const gathered = tf.transpose(tf.matMul(attention, x), [1, 0, 2]); // [heads, batch, dim]
      const values = tf.matMul(gathered, tf.transpose(tf.reshape(value, [dim, heads, own]), [1, 0, 2]));
      const joined = tf.reshape(tf.transpose(values, [1, 0, 2]), [batch, dim]);
      return linear(joined as tf.Tensor2D, weight, bias);
    },
  };
}
