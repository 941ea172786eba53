/**
 * The three forms of the loss: values computed by hand, zero and perfect predictions, and gradients. test/parity checks
 * against PyTorch that they are the paper's formulas.
 */
import * as tf from '@tensorflow/tfjs';
import { composeObjective, type Batch, type Objective } from '../../src/objectives/compose.js';
import { normalizePatches } from '../../src/ops/index.js';
import type { Task } from '../../src/spec/task.js';
import { numericalGradient, relativeError } from '../support/arrays.js';
import { stream } from '../../src/common/random.js';
import { examplesOf, GEOMETRIES, imageOf, mean, noise, read, taskOf, tokensOf } from './support.js';

beforeAll(() => tf.setBackend('cpu'));

const CENTRE_BORDER = GEOMETRIES['zoomed-in by centre and border'];
const MASKED_FORMS: [string, Task][] = [
  ['same grid', taskOf({ maskRatio: 0.75 })],
  ['centre and border', taskOf({ maskRatio: 0.75, geometry: CENTRE_BORDER })],
  ['mapped back', taskOf({ maskRatio: 0.75, geometry: GEOMETRIES['zoomed-out'] })],
];
const FORMS: [string, Task][] = [
  ...MASKED_FORMS,
  ['same grid, all tokens', taskOf({})],
  ['same grid, another field', taskOf({ geometry: GEOMETRIES['zoomed-out'] })],
  ['centre and border, all tokens', taskOf({ geometry: CENTRE_BORDER })],
];

/** Runs on a batch and disposes of it. */
function withBatch<T>(objective: Objective, count: number, use: (batch: Batch) => T): T {
  const batch = objective.batch(examplesOf(objective, count));
  try {
    return use(batch);
  } finally {
    batch.dispose();
  }
}

const perfect = (objective: Objective, batch: Batch): tf.Tensor3D =>
  normalizePatches(objective.picture(batch), objective.patchSize, objective.task.target);

describe.each(FORMS)('%s', (_, task) => {
  const objective = composeObjective(task, { imageSize: 8, patchSize: 4 });

  it('has the gradient of central differences', () => {
    withBatch(objective, 2, (batch) => {
      const random = stream(2, 'prediction');
      const point = Float64Array.from({ length: 2 * objective.tokens * 48 }, () => random.normal());
      const gradient = read(() => tf.grad((x: tf.Tensor) => batch.loss(x as tf.Tensor3D))(tensor(point)));
      // The loss is quadratic, so a large step loses no accuracy and keeps the rounding errors of float32 small.
      const numerical = numericalGradient((x) => read(() => batch.loss(tensor(x)))[0]!, point, 1);
      expect(relativeError(gradient, numerical)).toBeLessThan(1e-3);
    });
    function tensor(values: Float64Array): tf.Tensor3D {
      return tokensOf(objective, 2, (i) => values[i]!);
    }
  });

  it('leaks no tensor', () => {
    const examples = examplesOf(objective, 2);
    const prediction = tokensOf(objective, 2, (i) => Math.sin(i));
    const before = tf.memory().numTensors;
    for (let step = 0; step < 2; step++) {
      const batch = objective.batch(examples);
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => batch.loss(x as tf.Tensor3D))(prediction);
      tf.dispose([value, grad, objective.zeroLoss(batch), objective.picture(batch)]);
      tf.dispose([objective.reconstruct!(prediction, batch), batch.loss(prediction)]);
      batch.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
    prediction.dispose();
  });

  it('can be created inside a tidy and used after it', () => {
    const kept: Batch[] = [];
    tf.tidy(() => {
      kept.push(objective.batch(examplesOf(objective, 1)));
    });
    expect(read(() => objective.zeroLoss(kept[0]!))[0]).toBeGreaterThan(0);
    kept[0]!.dispose();
  });
});

describe('without patch normalisation, one pixel unit away from a flat target', () => {
  const unit = (geometry: Task['geometry'], maskRatio: number): number => {
    const objective = composeObjective(taskOf({ geometry, maskRatio, target: 'none' }), {
      imageSize: 16,
      patchSize: 4,
    });
    const field = imageOf(objective.fieldSize, () => 0.5);
    const batch = objective.batch([objective.degrade(field, stream(0)), objective.degrade(field, stream(1))]);
    const [loss] = read(() => batch.loss(tf.add(perfect(objective, batch), 1)));
    batch.dispose();
    return loss!;
  };

  it.each([0, 0.75])('the mean over tokens is 1 (mask %d)', (maskRatio) => {
    expect(unit(GEOMETRIES.none, maskRatio)).toBeCloseTo(1, 5);
    expect(unit(GEOMETRIES['zoomed-out'], maskRatio)).toBeCloseTo(1, 5);
  });

  it.each([0, 0.75])('centre and border sum to 0.8 + 4 · 0.2: the strips are summed (mask %d)', (maskRatio) => {
    expect(unit(CENTRE_BORDER, maskRatio)).toBeCloseTo(1.6, 5);
    expect(unit({ ...CENTRE_BORDER, centreWeight: 3, borderWeight: 0 }, maskRatio)).toBeCloseTo(3, 5);
    expect(unit({ ...CENTRE_BORDER, centreWeight: 0, borderWeight: 0.5 }, maskRatio)).toBeCloseTo(2, 5);
  });
});

it('opposite strips have equal weights: a field and its mirror images have the same loss', () => {
  const objective = composeObjective(taskOf({ geometry: CENTRE_BORDER, target: 'none' }), {
    imageSize: 16,
    patchSize: 4,
  });
  const size = objective.fieldSize;
  const { data } = noise(size, 'strips');
  const zeroLoss = (place: (y: number, x: number) => [number, number]): number => {
    const field = imageOf(size, (y, x, channel) => {
      const [row, column] = place(y, x);
      return data[(row * size + column) * 3 + channel]!;
    });
    const batch = objective.batch([objective.degrade(field, stream(0))]);
    const [loss] = read(() => objective.zeroLoss(batch));
    batch.dispose();
    return loss!;
  };
  const loss = zeroLoss((y, x) => [y, x]);
  expect(zeroLoss((y, x) => [size - 1 - y, x])).toBeCloseTo(loss, 5);
  expect(zeroLoss((y, x) => [y, size - 1 - x])).toBeCloseTo(loss, 5);
});

describe('a perfect prediction', () => {
  const lossOf = (task: Task): number => {
    const objective = composeObjective(task, { imageSize: 32, patchSize: 4 });
    return withBatch(objective, 2, (batch) => read(() => batch.loss(perfect(objective, batch)))[0]!);
  };

  it.each(Object.entries(GEOMETRIES).filter(([name]) => name !== 'zoomed-in by centre and border'))(
    'has loss 0, masked and not (%s)',
    (_, geometry) => {
      for (const maskRatio of [0, 0.75]) expect(lossOf(taskOf({ geometry, maskRatio }))).toBeLessThan(1e-10);
    },
  );

  it('has loss 0 in the border of a field', () => {
    const geometry = { ...CENTRE_BORDER, centreWeight: 0 };
    expect(lossOf(taskOf({ geometry, maskRatio: 0.75 }))).toBeLessThan(1e-10);
  });

  it('does not exist in the centre: the coarser grid cannot represent its detail', () => {
    const best = (task: Task): number => {
      const objective = composeObjective(task, { imageSize: 16, patchSize: 4 });
      return withBatch(objective, 1, (batch) => {
        const prediction = tf.variable(tf.zeros([1, objective.tokens, 48]));
        const optimizer = tf.train.adam(0.2);
        for (let i = 0; i < 100; i++)
          optimizer.minimize(() => batch.loss(prediction as tf.Tensor3D), false, [prediction]);
        const [loss] = read(() => batch.loss(prediction as tf.Tensor3D));
        tf.dispose([prediction]);
        optimizer.dispose();
        return loss!;
      });
    };
    expect(best(taskOf({}))).toBeLessThan(1e-3);
    const floor = best(taskOf({ geometry: { ...CENTRE_BORDER, centreWeight: 1, borderWeight: 0 } }));
    expect(floor).toBeGreaterThan(0.02);
    expect(floor).toBeLessThan(0.5);
  });

  it.each(FORMS)('is reconstructed as the clean image (%s)', (_, task) => {
    const objective = composeObjective(task, { imageSize: 16, patchSize: 4 });
    withBatch(objective, 2, (batch) => {
      const picture = read(() => objective.picture(batch));
      const again = read(() => objective.reconstruct!(perfect(objective, batch), batch));
      expect(relativeError(again, picture)).toBeLessThan(1e-5);
      if (objective.fieldSize === 16) expect(picture).toEqual(read(() => tf.clone(batch.fields)));
    });
  });
});

describe('a zero prediction', () => {
  const zero = (task: Task, imageSize = 32, patchSize = 4): number => {
    const objective = composeObjective(task, { imageSize, patchSize });
    return withBatch(objective, 16, (batch) => read(() => objective.zeroLoss(batch))[0]!);
  };

  it('has the loss 15/16 at patch 4 and 255/256 at patch 16', () => {
    // Slightly less if patches are saturated and therefore flat.
    for (const task of [taskOf({}), taskOf({ maskRatio: 0.75 })]) {
      expect(zero(task)).toBeGreaterThan(0.91);
      expect(zero(task)).toBeLessThan(15 / 16);
    }
    expect(zero(taskOf({ maskRatio: 0.75 }), 32, 16)).toBeCloseTo(255 / 256, 3);
  });

  // PAPER.md §13 states these losses for photographs of CIFAR-10.
  it('has a loss of about 1.35, masked and zoomed in', () => {
    expect(Math.abs(zero(taskOf({ maskRatio: 0.75, geometry: CENTRE_BORDER })) - 1.35)).toBeLessThan(0.1);
  });

  it('has a loss of about 0.415, masked and zoomed out: resampling reduces the variance', () => {
    expect(Math.abs(zero(taskOf({ maskRatio: 0.75, geometry: GEOMETRIES['zoomed-out'] })) - 0.415)).toBeLessThan(0.1);
  });
});

it('stays finite on constant images', () => {
  for (const [, task] of FORMS) {
    const objective = composeObjective(task, { imageSize: 16, patchSize: 4 });
    for (const value of [0, 0.3, 1]) {
      const example = objective.degrade(
        imageOf(objective.fieldSize, () => value),
        stream(0),
      );
      const batch = objective.batch([example]);
      const losses = [read(() => objective.zeroLoss(batch)), read(() => batch.loss(tokensOf(objective, 1, Math.cos)))];
      expect(losses.flat().every(Number.isFinite)).toBe(true);
      batch.dispose();
    }
  }
});

it('averages over images: the loss of a batch of two is the mean of both', () => {
  for (const [, task] of MASKED_FORMS) {
    const objective = composeObjective(task, { imageSize: 16, patchSize: 4 });
    const examples = examplesOf(objective, 2);
    const score = (from: number, to: number): number => {
      const batch = objective.batch(examples.slice(from, to));
      const [loss] = read(() => objective.zeroLoss(batch));
      batch.dispose();
      return loss!;
    };
    expect(score(0, 2)).toBeCloseTo(mean([score(0, 1), score(1, 2)]), 5);
  }
});
