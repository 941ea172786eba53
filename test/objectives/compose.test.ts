/** The three parts together: every combination runs, draws per image, and counts the right tokens. */
import * as tf from '@tensorflow/tfjs';
import { UsageError } from '../../src/common/errors.js';
import { denormalizeImage, normalizeImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import { composeObjective, type Example, type Objective } from '../../src/objectives/compose.js';
import { mirrorIndex } from '../../src/task/mirror.js';
import type { Task } from '../../src/spec/task.js';
import { examplesOf, GEOMETRIES, imageOf, noise, photograph, read, STYLES, taskOf, tokensOf } from './support.js';

beforeAll(() => tf.setBackend('cpu'));

const SIZES = { imageSize: 16, patchSize: 4 };
const GRID = 4;

const COMBINATIONS = [0, 0.75].flatMap((maskRatio) =>
  Object.entries(GEOMETRIES).flatMap(([misalignment, geometry]) =>
    Object.entries(STYLES).map(
      ([name, style]) =>
        [`mask ${maskRatio}, ${misalignment}, ${name}`, taskOf({ maskRatio, geometry, style })] as const,
    ),
  ),
);

describe.each(COMBINATIONS)('%s', (_, task) => {
  const objective = composeObjective(task, SIZES);

  it('degrades a field to an input of the right size, and keeps the field clean', () => {
    const field = photograph(objective.fieldSize, 'field');
    const before = field.data.slice();
    const { input, field: clean, kept, placement } = objective.degrade(field, stream(0, 'draw'));
    expect([input.height, input.width, input.data.length]).toEqual([16, 16, 768]);
    expect(input.data.every(Number.isFinite)).toBe(true);
    expect(clean.data).toEqual(before);
    expect(kept?.length).toBe(task.maskRatio > 0 ? 4 : undefined);
    expect(placement === null).toBe(task.geometry.kind !== 'zoomed-out');
  });

  it('is a function of image and random stream', () => {
    const field = photograph(objective.fieldSize, 'field');
    expect(objective.degrade(field, stream(0, 'draw'))).toEqual(objective.degrade(field, stream(0, 'draw')));
  });

  it('makes a new draw for every image', () => {
    const field = photograph(objective.fieldSize, 'field');
    const [a, b] = [objective.degrade(field, stream(0, 'a')), objective.degrade(field, stream(0, 'b'))];
    const drawn = task.geometry.kind === 'zoomed-out' || task.geometry.kind === 'distorted';
    expect(a.input.data.some((value, i) => value !== b.input.data[i])).toBe(drawn || task.style.kind === 'blurred');
    if (task.maskRatio > 0) expect(a.kept).not.toEqual(b.kept);
  });

  it('counts the expected tokens, and no others', () => {
    // All tokens but one or two are kept, so that most tokens do not count if only removed ones count.
    const removed = [[5], [15]];
    const examples = examplesOf(objective, 2).map((example, i) => withRemoved(example, removed[i]!));
    const batch = objective.batch(examples);
    const prediction = tokensOf(objective, 2, (i) => Math.sin(3 * i));
    const gradient = read(() => tf.grad((x: tf.Tensor) => batch.loss(x as tf.Tensor3D))(prediction));
    const counts = Array.from({ length: 32 }, (_, t) =>
      gradient.slice(t * 48, (t + 1) * 48).some((value) => value !== 0),
    );
    const expected = examples.flatMap((example, i) => expectedTokens(task, objective, example, removed[i]!));
    expect(counts).toEqual(expected);

    const [loss] = read(() => batch.loss(prediction));
    expect(loss).toBeGreaterThan(0);
    expect(loss).toBeLessThan(20);
    const ignored = tokensOf(objective, 2, (i) => (expected[Math.floor(i / 48)] ? 0 : 100));
    expect(read(() => batch.loss(tf.add(prediction, ignored)))[0]).toBe(loss);
    tf.dispose([prediction, ignored]);
    batch.dispose();
  });
});

/** An example with all tokens kept except the given ones; unmasked examples are unchanged. */
function withRemoved(example: Example, removed: readonly number[]): Example {
  if (example.kept === null) return example;
  return { ...example, kept: Int32Array.from({ length: 16 }, (_, t) => t).filter((t) => !removed.includes(t)) };
}

/** The prediction tokens on which the loss should depend, found by following every pixel. */
function expectedTokens(task: Task, objective: Objective, example: Example, removed: readonly number[]): boolean[] {
  const all = new Array<boolean>(16).fill(true);
  const { geometry, maskRatio, style } = task;
  const removedOnly = maskRatio > 0 && style.kind === 'preserved';
  if (!removedOnly || geometry.kind === 'distorted') return all;
  if (geometry.kind === 'none') return all.map((_, t) => removed.includes(t));
  if (geometry.kind === 'zoomed-in' && geometry.loss === 'field') return all;

  const size = objective.fieldSize;
  const counts = (y: number, x: number): boolean => {
    if (geometry.kind === 'zoomed-in') {
      const [row, column] = [y - (size - 16) / 2, x - (size - 16) / 2];
      if (row < 0 || row >= 16 || column < 0 || column >= 16) return true; // border
      return removed.includes(Math.floor(row / 4) * GRID + Math.floor(column / 4));
    }
    const { left, top } = example.placement!;
    return removed.some((token) => {
      const rows = [0, 1, 2, 3].map((i) => mirrorIndex(Math.floor(token / GRID) * 4 + i - top, size));
      const columns = [0, 1, 2, 3].map((i) => mirrorIndex((token % GRID) * 4 + i - left, size));
      return rows.includes(y) && columns.includes(x);
    });
  };
  const found = all.map(() => false);
  /** Prediction tokens along an axis that area resampling 16 → size includes in pixel k. */
  const sources = (k: number): number[] => {
    const [first, end] = [Math.floor((k * 16) / size), Math.ceil(((k + 1) * 16) / size)];
    return [...new Set(Array.from({ length: end - first }, (_, i) => Math.floor((first + i) / 4)))];
  };
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!counts(y, x)) continue;
      for (const row of sources(y)) for (const column of sources(x)) found[row * GRID + column] = true;
    }
  }
  return found;
}

it('reports whether only removed tokens count', () => {
  const counts = (parts: Partial<Task>): boolean => composeObjective(taskOf(parts), SIZES).countsRemovedTokensOnly;
  expect(counts({ maskRatio: 0.75 })).toBe(true);
  expect(counts({})).toBe(false);
  expect(counts({ maskRatio: 0.75, geometry: GEOMETRIES.distorted })).toBe(false);
  expect(counts({ maskRatio: 0.75, style: STYLES.blurred })).toBe(false);
});

it('applies geometry first, then style', () => {
  const objective = composeObjective(
    taskOf({ geometry: GEOMETRIES['zoomed-out'], style: { ...STYLES.blurred, relativeStd: 0 } }),
    SIZES,
  );
  const { input } = objective.degrade(
    imageOf(objective.fieldSize, () => 1),
    stream(0),
  );
  // A blur before the mirroring would have no dark rim at the canvas's edge, and one at the content's edge.
  const white = normalizeImage(imageOf(1, () => 1)).data;
  const gain = (y: number, x: number): number => input.data[(y * 16 + x) * 3]! / (white[0]! + white[1]! + white[2]!);
  expect(gain(0, 0)).toBeCloseTo(4 / 9, 5);
  expect(gain(0, 8)).toBeCloseTo(6 / 9, 5);
  for (let i = 1; i < 15; i++) expect(gain(i, i)).toBeCloseTo(1, 5);
});

it('draws the same mask and geometry for tasks that differ only in their style', () => {
  const inputs = [STYLES.preserved, STYLES.decolorized, STYLES.blurred].map((style) => {
    const objective = composeObjective(taskOf({ maskRatio: 0.75, geometry: GEOMETRIES['zoomed-out'], style }), SIZES);
    const { kept, placement } = objective.degrade(noise(objective.fieldSize, 'field'), stream(0, 'draw'));
    return { kept, placement };
  });
  expect(inputs[1]).toEqual(inputs[0]);
  expect(inputs[2]).toEqual(inputs[0]);
});

it('gives the identity task the image itself, normalised', () => {
  const field = noise(16, 'field');
  const { input } = composeObjective(taskOf({}), SIZES).degrade(field, stream(0));
  expect(input).toEqual(normalizeImage(field));
});

it('computes grey from all channels in pixel space', () => {
  const objective = composeObjective(taskOf({ style: STYLES.decolorized }), SIZES);
  const { data } = denormalizeImage(objective.degrade(noise(16, 'field'), stream(0)).input);
  for (let i = 0; i < data.length; i += 3) expect(Math.abs(data[i]! - data[i + 2]!)).toBeLessThan(1e-6);
});

it('uploads each image to its own position', () => {
  const objective = composeObjective(taskOf({ maskRatio: 0.75 }), SIZES);
  const examples = examplesOf(objective, 2);
  const batch = objective.batch(examples);
  expect(batch.inputs.shape).toEqual([2, 16, 16, 3]);
  expect(Float32Array.from(read(() => tf.clone(batch.inputs)).slice(768))).toEqual(examples[1]!.input.data);
  expect(Float32Array.from(read(() => tf.clone(batch.fields)).slice(0, 768))).toEqual(examples[0]!.field.data);
  expect(batch.selection).toMatchObject({ batch: 2, tokens: 16, kept: 4 });
  batch.dispose();
});

it('rejects numbers that have no effect', () => {
  expect(() => composeObjective(taskOf({ maskRatio: 0.5 }), { imageSize: 16, patchSize: 16 })).toThrow(UsageError);
  expect(() => composeObjective(taskOf({ maskRatio: 1e-12 }), SIZES)).toThrow('removes none of 16 tokens');
  const geometry = { ...GEOMETRIES['zoomed-in by centre and border'], centreWeight: 0, borderWeight: 0 };
  expect(() => composeObjective(taskOf({ geometry }), SIZES)).toThrow('are both 0');
  expect(() => composeObjective(taskOf({ geometry: { kind: 'zoomed-out', fraction: 0.99 } }), SIZES)).toThrow(
    UsageError,
  );
});
