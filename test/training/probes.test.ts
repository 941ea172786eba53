/** Accuracies, kNN votes and standardisation against cases computed by hand. */
import * as tf from '@tensorflow/tfjs';
import { accuracies } from '../../src/training/evaluate.js';
import { inParts, standardize, type FeatureSet } from '../../src/training/features.js';
import { chooseHead, disposeHeads, scoreParts, scoresOf, type Head } from '../../src/training/heads.js';
import { vote } from '../../src/training/knn.js';
import { linearHead } from '../../src/training/linear.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const set = (rows: number[][], labels: number[]): FeatureSet => ({
  features: Float32Array.from(rows.flat()),
  labels: Uint32Array.from(labels),
  width: rows[0]!.length,
});

// oxlint-disable-next-line require-await -- it stands for what is computed part by part
async function* each<T>(items: readonly T[]) {
  yield* items;
}

describe('accuracies', () => {
  it('counts the highest score, in percent', () => {
    const scores = [0.1, 0.7, 0.2, /**/ 0.5, 0.3, 0.2, /**/ 0, 1, 0, /**/ 0.2, 0.2, 0.6];
    expect(accuracies(scores, [1, 0, 2, 2], 3)).toEqual({
      accuracy: 75,
      top5: null,
      meanPerClass: (100 + 100 + 50) / 3,
    });
  });

  it('counts the five highest if there are more than five classes', () => {
    const scores = [6, 5, 4, 3, 2, 1];
    expect(accuracies(scores, [4], 6)).toMatchObject({ accuracy: 0, top5: 100 });
    expect(accuracies(scores, [5], 6)).toMatchObject({ accuracy: 0, top5: 0 });
  });

  it('prefers the lower class of equal scores, so that a constant model has chance accuracy', () => {
    expect(accuracies([1, 1, 1, 1], [0, 1], 2).accuracy).toBe(50);
  });

  it('never counts NaN as correct', () => {
    expect(accuracies([NaN, NaN, NaN, NaN], [0, 1], 2).accuracy).toBe(0);
    expect(accuracies([0.9, NaN], [0], 2).accuracy).toBe(0);
  });
});

describe('vote', () => {
  const train = set(
    [
      [1, 0],
      [2, 0.2],
      [0, 3],
      [-1, 0],
    ],
    [0, 0, 1, 2],
  );

  it('compares directions, not lengths', async () => {
    const scores = await vote(train, set([[0, 0.001]], [1]), 3, { k: 1, temperature: 0.1 });
    expect(accuracies(scores, [1], 3).accuracy).toBe(100);
  });

  it('weights each of the k neighbours by exp(similarity / temperature), the nearest by 1', async () => {
    const test = set([[1, 1]], [0]);
    const scores = await vote(train, test, 3, { k: 3, temperature: 0.5 });
    const cosine = (x: number, y: number): number => (x + y) / Math.SQRT2 / Math.hypot(x, y);
    const weight = (x: number, y: number): number => Math.exp((cosine(x, y) - cosine(2, 0.2)) / 0.5);
    expect(scores[0]).toBeCloseTo(weight(1, 0) + weight(2, 0.2), 5);
    expect(scores[1]).toBeCloseTo(weight(0, 3), 5);
    expect(scores[2]).toBe(0); // the fourth nearest has no vote
  });

  it('lets the nearest neighbour decide at a temperature at which exp(similarity / temperature) overflows', async () => {
    const scores = await vote(train, set([[0.3, -1]], [0]), 3, { k: 4, temperature: 1e-4 });
    // The largest cosine is that of (1, 0) to (0.3, −1), 0.287; the others are smaller by 0.097 or more: e^(−970) is 0.
    expect([...scores]).toEqual([1, 0, 0].map((weight) => expect.closeTo(weight, 5) as number));
  });

  it('gives each of many test images the vote of its own neighbour, and leaks no tensor', async () => {
    const angles = Array.from({ length: 600 }, (_, i) => (i % 4) + 0.1);
    const quarter = (angle: number): number[] => [Math.cos((angle * Math.PI) / 2), Math.sin((angle * Math.PI) / 2)];
    const quarters = set([0, 1, 2, 3].map(quarter), [0, 1, 2, 3]);
    const before = tf.memory().numTensors;
    const test = set(angles.map(quarter), []);
    const scores = await vote(quarters, { ...test, labels: new Uint32Array(600) }, 4, { k: 1, temperature: 1 });
    expect([...scores]).toEqual(angles.flatMap((_, i) => [0, 1, 2, 3].map((label) => Number(label === i % 4))));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('prefers the earlier of equally near neighbours', async () => {
    const twice = set([[2, 0], [1, 0], [0, 1]], [1, 0, 2]); // oxfmt-ignore
    expect([...(await vote(twice, set([[3, 0]], [0]), 3, { k: 1, temperature: 1 }))]).toEqual([0, 1, 0]);
  });

  it('works with fewer training images than k', async () => {
    const scores = await vote(train, set([[-1, 0.1]], [2]), 3, { k: 20, temperature: 0.07 });
    expect(accuracies(scores, [2], 3).accuracy).toBe(100);
  });
});

describe('features in parts', () => {
  /** The outputs of batches; those of an image are its number and its square. */
  const outputs = (batches: number[][]) =>
    each(
      batches.map((images) => ({
        values: Float32Array.from(images.flatMap((image) => [image, image ** 2])),
        targets: images.map((image) => image % 3),
      })),
    );
  const partsOf = async (batches: number[][], images: number, mostValues: number) => {
    const parts: { rows: number[]; labels: number[] }[] = [];
    for await (const { features, labels } of inParts(outputs(batches), images, mostValues)) {
      parts.push({ rows: [...features], labels: [...labels] });
    }
    return parts;
  };

  it('have equal numbers of images, however many a batch has', async () => {
    expect(
      await partsOf(
        [
          [1, 2],
          [3, 4, 5],
          [6, 7],
        ],
        9,
        7,
      ),
    ).toEqual([
      { rows: [1, 1, 2, 4, 3, 9], labels: [1, 2, 0] },
      { rows: [4, 16, 5, 25, 6, 36], labels: [1, 2, 0] },
      { rows: [7, 49], labels: [1] },
    ]);
    expect(await partsOf([[1, 2], [3]], 3, 100)).toEqual([{ rows: [1, 1, 2, 4, 3, 9], labels: [1, 2, 0] }]);
    // One image is more than the limit.
    expect(await partsOf([[4, 5]], 2, 1)).toHaveLength(2);
    expect(await partsOf([], 2, 1)).toEqual([]);
  });

  it('have the scores of the whole set, each part standardised and scored before the next one is computed', async () => {
    const head = linearHead(2, 3, 0);
    const double: Head = { parameters: [], scores: (features) => tf.mul(head.scores(features), 2) };
    const whole = set([[1, 2], [3, 4], [5, 6]], [0, 1, 2]); // oxfmt-ignore
    const before = tf.memory().numTensors;
    const log: string[] = [];
    // oxlint-disable-next-line require-await -- it stands for an encoder
    const parts = async function* () {
      for (let i = 0; i < 3; i++) {
        log.push('encoded');
        yield set([[...whole.features.slice(2 * i, 2 * i + 2)]], [i]);
      }
    };
    const halve = ({ features }: FeatureSet): void => {
      log.push('standardised');
      features.forEach((value, i) => (features[i] = value / 2));
    };
    const scored = await scoreParts([head, double], parts(), halve);
    expect(log).toEqual(Array.from({ length: 3 }, () => ['encoded', 'standardised']).flat());
    expect([...scored.labels]).toEqual([0, 1, 2]);
    halve(whole);
    expect(scored.scores[0]).toEqual(await scoresOf(head, whole));
    expect(scored.scores[1]).toEqual(scored.scores[0]!.map((score) => 2 * score));
    expect(tf.memory().numTensors).toBe(before);
    disposeHeads([{ head }]);
  });
});

describe('the choice of a head', () => {
  /** Scores of three classes from three features, by a diagonal matrix. */
  const head = (diagonal: number[]): Head => ({
    parameters: [],
    scores: (features) => tf.mul(features, tf.tensor1d(diagonal)),
  });
  const candidate = (rate: number, diagonal: number[], loss = 1) => ({ rate, loss, head: head(diagonal) });
  const validation = set(
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    [0, 1, 2],
  );
  const options = { name: 'linear', classes: 3 } as const;
  const score = (heads: readonly Head[]) => scoreParts(heads, each([validation]), () => undefined);

  it('is that with the best accuracy on the validation images; of equally good ones, the first', async () => {
    const candidates = [candidate(1, [1, -1, -1]), candidate(2, [1, 1, 1]), candidate(3, [2, 2, 2])];
    expect((await chooseHead(candidates, score, options)).rate).toBe(2);
  });

  it('leaves out candidates that diverged, and fails if all have', async () => {
    const diverged = candidate(1, [1, 1, 1], NaN);
    expect((await chooseHead([diverged, candidate(2, [1, -1, -1])], score, options)).rate).toBe(2);
    await expect(chooseHead([diverged], null, options)).rejects.toThrow(
      'the linear probe diverged; lower linear.baseLearningRate',
    );
  });
});

describe('standardize', () => {
  it('gives training features mean 0 and variance 1, and transforms test features in the same way', () => {
    const train = set(
      [
        [1, 5],
        [3, 5],
      ],
      [0, 1],
    );
    const test = set([[5, 6]], [0]);
    standardize(train)(test);
    expect([...train.features].map((value) => value.toFixed(4))).toEqual(['-1.0000', '0.0000', '1.0000', '0.0000']);
    expect(test.features[0]).toBeCloseTo(3, 4);
    expect(test.features[1]).toBeCloseTo(1000, 0); // a constant feature: divided by √(0 + 1e-6)
  });
});
