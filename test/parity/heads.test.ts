/** The heads of probes and their optimisers against PyTorch; heads.py writes the fixture. */
import * as tf from '@tensorflow/tfjs';
import { toParameters } from '../../src/model/parameters.js';
import { attentiveHead, type AttentiveSizes } from '../../src/training/attentive.js';
import { standardize, type FeatureSet } from '../../src/training/features.js';
import { fixedFeatures } from '../../src/training/training-features.js';
import { disposeHeads, scoresOf, trainHeads, type Head } from '../../src/training/heads.js';
import { adamW } from '../../src/training/optimizers/adamw.js';
import { lars } from '../../src/training/optimizers/lars.js';
import { relativeError } from '../support/arrays.js';
import { readFixture, unpack, unpackValues, type PackedTensor } from './fixture.js';

interface Fixture {
  attentive: {
    sizes: AttentiveSizes;
    initial: Record<string, PackedTensor>;
    tokens: PackedTensor;
    labels: number[];
    rate: number;
    weightDecay: number;
    epochs: number;
    scores: PackedTensor;
    losses: number[];
    trainedScores: PackedTensor;
  };
  lars: {
    initial: Record<'weight' | 'bias', PackedTensor>;
    gradients: [PackedTensor, PackedTensor][];
    rate: number;
    result: [PackedTensor, PackedTensor];
  };
}

const { attentive, lars: larsCase } = readFixture('heads') as Fixture;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the attentive head', () => {
  const { sizes, initial, tokens, labels, epochs } = attentive;
  const features = (): FeatureSet => {
    const train = {
      features: unpack(tokens),
      labels: Uint32Array.from(labels),
      width: sizes.tokens * sizes.dim,
    };
    return train;
  };
  const standardized = (): FeatureSet => {
    const set = features();
    standardize(set, sizes.dim);
    return set;
  };
  const makeHead = (): Head => {
    const head = attentiveHead(sizes, (name) => unpack(initial[name]!));
    const bias = tf.tensor1d(unpack(initial.bias!));
    head.parameters.find(({ name }) => name === 'bias')!.value.assign(bias);
    bias.dispose();
    return head;
  };

  it('has the scores of attention to keys and values', async () => {
    const head = makeHead();
    expect(relativeError(await scoresOf(head, standardized()), unpack(attentive.scores))).toBeLessThan(1e-5);
    disposeHeads([{ head }]);
  });

  it('learns as with AdamW in PyTorch, each candidate at its own rate, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const { rate, weightDecay } = attentive;
    const candidates = await trainHeads(fixedFeatures(features(), sizes.dim), {
      recipe: { epochs, batchSize: labels.length, warmupEpochs: 0, weightDecay },
      rates: [rate / 10, rate],
      classes: sizes.classes,
      seed: 0,
      signal: new AbortController().signal,
      makeHead,
      makeOptimizer: () => adamW({ beta1: 0.9, beta2: 0.999 }),
    });
    expect(candidates[1]!.loss).toBeCloseTo(attentive.losses.at(-1)!, 5);
    expect(
      relativeError(await scoresOf(candidates[1]!.head, standardized()), unpack(attentive.trainedScores)),
    ).toBeLessThan(1e-5);
    // A tenth of the rate: between the first loss and the last.
    expect(candidates[0]!.loss).toBeGreaterThan(candidates[1]!.loss);
    expect(candidates[0]!.loss).toBeLessThan(attentive.losses[0]!);
    disposeHeads(candidates);
    expect(tf.memory().numTensors).toBe(before);
  });
});

it('LARS scales only the gradients of matrices, and none whose norm is 0', () => {
  const { initial, gradients, rate, result } = larsCase;
  const parameters = toParameters(unpackValues(initial));
  const velocities = new Map([...parameters].map(([name, value]) => [name, tf.variable(tf.zerosLike(value))]));
  const slots = [...parameters].map(([name, value]) => {
    return { name, value, rateScale: 1, weightDecay: 0, state: () => velocities.get(name)! };
  });
  const optimizer = lars({ momentum: 0.9 });
  for (const [step, pair] of gradients.entries()) {
    tf.tidy(() => {
      const tensors = pair.map((gradient) => tf.tensor(unpack(gradient), gradient.shape));
      const rates = { learningRate: rate, step: step + 1 };
      optimizer.update(slots, tensors, rates, optimizer.inputs(rates));
    });
  }
  for (const [i, { value }] of slots.entries()) {
    expect(relativeError(value.dataSync() as Float32Array, unpack(result[i]!))).toBeLessThan(1e-5);
  }
});
