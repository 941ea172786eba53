/**
 * k nearest neighbours on frozen features: cosine similarity, and votes weighted by exp(similarity / temperature). The
 * votes for an image are divided by the nearest neighbour's weight, which is then 1, so that they do not underflow.
 */
import * as tf from '@tensorflow/tfjs';
import { asList } from '../common/values.js';
import { countWork } from '../common/work.js';
import type { EvaluationContext } from '../stages/evaluation.js';
import type { KnnConfig, KnnNumbers } from '../stages/knn.js';
import { accuracies } from './evaluate.js';
import { extractFeatures, probed, featureRows, type FeatureSet } from './features.js';

/** Test images compared at once; the similarities of a block are BLOCK × training images. */
const BLOCK = 256;

/** Extracts features, and classifies every image that is measured by its neighbours in the training set. */
export async function nearestNeighbours(config: KnnConfig, context: EvaluationContext<'class'>): Promise<KnnNumbers> {
  const begin = performance.now();
  const { recipe } = config;
  const classes = context.dataset.classes.length;
  context.emit({ type: 'started', device: context.device, steps: 0, fromStep: 0 });
  const candidates = asList(recipe.k);
  const { train, test, validation } = await extractFeatures(config, context, { choose: candidates.length > 1 });
  const chosen =
    validation === null ? candidates[0]! : await chooseK(train, validation, classes, { ...recipe, candidates });
  const scores = await vote(train, test, classes, { ...recipe, k: chosen });
  return {
    kind: 'knn',
    epochs: 0,
    steps: 0,
    seconds: (performance.now() - begin) / 1000,
    k: Math.min(chosen, train.labels.length),
    ...probed({ scores, labels: test.labels }, train.labels.length, context.dataset),
  };
}

/** The number of neighbours with the highest accuracy on the validation images; of equally good ones, the first. */
async function chooseK(
  train: FeatureSet,
  validation: FeatureSet,
  classes: number,
  { candidates, temperature }: { candidates: readonly number[]; temperature: number },
): Promise<number> {
  let best = { k: candidates[0]!, accuracy: -1 };
  for (const k of candidates) {
    const scores = await vote(train, validation, classes, { k, temperature });
    const { accuracy } = accuracies(scores, validation.labels, classes);
    if (accuracy > best.accuracy) best = { k, accuracy };
  }
  return best.k;
}

/** Summed votes [test, classes]. Features are scaled to length 1 in place. */
export async function vote(
  train: FeatureSet,
  test: FeatureSet,
  classes: number,
  { k, temperature }: { k: number; temperature: number },
): Promise<Float32Array> {
  normalizeRows(train);
  normalizeRows(test);
  const count = train.labels.length;
  const transposed = tf.tidy(() => tf.transpose(featureRows(train, 0, count)));
  const votes = new Float32Array(test.labels.length * classes);
  for (let begin = 0; begin < test.labels.length; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, test.labels.length);
    const product = tf.tidy(() => tf.matMul(featureRows(test, begin, end), transposed));
    const similarities = await product.data();
    countWork();
    product.dispose();
    for (let row = begin; row < end; row++) {
      const own = similarities.subarray((row - begin) * count, (row - begin + 1) * count);
      const neighbours = nearest(own, Math.min(k, count));
      const largest = own[neighbours[0]!]!;
      for (const neighbour of neighbours) {
        const at = row * classes + train.labels[neighbour]!;
        votes[at] = votes[at]! + Math.exp((own[neighbour]! - largest) / temperature);
      }
    }
  }
  transposed.dispose();
  return votes;
}

/** Indices of the k largest values; among equal values, the earlier ones. */
function nearest(values: ArrayLike<number>, k: number): number[] {
  const best: number[] = []; // descending
  for (let i = 0; i < values.length; i++) {
    if (best.length === k && !(values[i]! > values[best[k - 1]!]!)) continue;
    let place = best.length;
    while (place > 0 && values[best[place - 1]!]! < values[i]!) place -= 1;
    best.splice(place, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}

function normalizeRows({ features, width }: FeatureSet): void {
  for (let begin = 0; begin < features.length; begin += width) {
    const row = features.subarray(begin, begin + width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < width; j++) row[j] = row[j]! / (length + 1e-12);
  }
}
