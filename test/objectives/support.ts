/** Images and tasks for the tests of objectives. */
import * as tf from '@tensorflow/tfjs';
import type { FloatImage } from '../../src/common/image.js';
import { stream, type Random } from '../../src/common/random.js';
import type { Example, Objective } from '../../src/objectives/compose.js';
import type { StylePart } from '../../src/task/entry.js';
import type { Geometry, Style, Task } from '../../src/spec/task.js';

/** A square image in [0, 1] from a function of the pixel. */
export function imageOf(size: number, value: (y: number, x: number, channel: number) => number): FloatImage {
  const data = Float32Array.from({ length: size * size * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return value(Math.floor(pixel / size), pixel % size, i % 3);
  });
  return { data, height: size, width: size };
}

/** Noise without any structure. */
export function noise(size: number, name: string): FloatImage {
  const random = stream(3, 'noise', name);
  return imageOf(size, () => random.uniform());
}

/** Waves whose amplitude falls as 1/frequency, as in photographs, with some areas saturated. */
export function photograph(size: number, name: string): FloatImage {
  const random = stream(3, 'photograph', name);
  const waves = Array.from({ length: 60 }, () => {
    const frequency = Math.exp(random.uniform(0, Math.log(size / 2)));
    const angle = random.uniform(0, 2 * Math.PI);
    return {
      x: (2 * Math.PI * frequency * Math.cos(angle)) / size,
      y: (2 * Math.PI * frequency * Math.sin(angle)) / size,
      phase: random.uniform(0, 2 * Math.PI),
      amplitude: [1, 1, 1].map(() => random.uniform(0.5, 1) / frequency),
    };
  });
  return imageOf(size, (y, x, c) => {
    const height = waves.reduce((sum, w) => sum + w.amplitude[c]! * Math.sin(w.x * x + w.y * y + w.phase), 0);
    return Math.min(Math.max(0.5 + 0.15 * height, 0), 1);
  });
}

export const GEOMETRIES = {
  none: { kind: 'none' },
  'zoomed-in': { kind: 'zoomed-in', fraction: 160 / 224, loss: 'field' },
  'zoomed-in by centre and border': {
    kind: 'zoomed-in',
    fraction: 224 / 288,
    loss: 'centre-border',
    centreWeight: 0.8,
    borderWeight: 0.2,
  },
  'zoomed-out': { kind: 'zoomed-out', fraction: 160 / 224 },
  distorted: { kind: 'distorted', strength: [0.15, 0.25], centre: [-1, 1] },
} satisfies Record<string, Geometry>;

export const BLUR = {
  kind: 'blurred',
  kernelSize: 3,
  relativeStd: 0.98,
  mixChannels: true,
  unitGain: false,
  clip: false,
} as const satisfies Style;

export const STYLES = {
  preserved: { kind: 'preserved' },
  blurred: BLUR,
  decolorized: { kind: 'decolorized', variant: 'luminance' },
} satisfies Record<string, Style>;

/** The identity task with the given parts replaced. */
export function taskOf(parts: Partial<Task>): Task {
  return {
    maskRatio: 0,
    geometry: GEOMETRIES.none,
    style: STYLES.preserved,
    target: 'patch-channel',
    ...parts,
  };
}

/** An image in a style, with draws from a stream. */
export const restyled = <Draw>(style: StylePart<Draw>, image: FloatImage, random: Random): FloatImage =>
  style.restyle(image, style.draw(random));

/** Degrades `count` different photographs. */
export function examplesOf(objective: Objective, count: number, name = 'image'): Example[] {
  return Array.from({ length: count }, (_, i) =>
    objective.degrade(photograph(objective.fieldSize, `${name}/${i}`), stream(1, name, i)),
  );
}

/** The value of a scalar, or the values of any tensor; disposes of it. */
export function read(make: () => tf.Tensor): number[] {
  const tensor = tf.tidy(make);
  const values = [...tensor.dataSync()];
  tensor.dispose();
  return values;
}

export function tokensOf(objective: Objective, batch: number, value: (i: number) => number): tf.Tensor3D {
  const width = objective.patchSize ** 2 * 3;
  const values = Float32Array.from({ length: batch * objective.tokens * width }, (_, i) => value(i));
  return tf.tensor3d(values, [batch, objective.tokens, width]);
}

export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

export function deviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - centre) ** 2)));
}
