/** A step that is recorded and replayed gives the same numbers, regardless of other work between the replays. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import type { SimdBackend } from '../../src/backends/simd/backend.js';
import type { VitBackend } from '../../src/backends/webgpu/backend.js';
import { internalsOf } from '../../src/backends/webgpu/internals.js';
import { accumulate, adamW, adamWRates, hasProducts, linear, Repeated } from '../../src/ops/index.js';
import type { AdamWSlot, Precision } from '../../src/ops/index.js';
import { availableDevices } from '../support/devices.js';
import { setVariables } from '../support/variables.js';

// Unless one is chosen, the products would be measured.
const before = setVariables({ VITMIM_BFLOAT16: process.env.VITMIM_BFLOAT16 ?? 'widened' });
afterAll(() => {
  setVariables(before);
});

/** The devices that record steps. */
const devices = (await availableDevices()).filter((name) => name === 'webgpu' || name === 'simd');

/** Memory of the active device that is in use or reserved: buffers, or bytes. */
function memoryInUse(): number {
  if (tf.getBackend() === 'simd') return (tf.backend() as unknown as SimdBackend).heap.statistics.used;
  const backend = tf.backend() as unknown as VitBackend;
  backend.submit();
  return internalsOf(backend).bufferManager.getNumUsedBuffers();
}

const STEPS = 8;
const [ROWS, WIDTH] = [24, 16];

/** Numbers that differ from step to step. */
const wave = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i + phase));

interface Training {
  step(index: number, rows?: number): void;
  readonly lossSum: tf.Variable;
  readonly weight: tf.Variable;
  readonly repeated: Repeated;
  dispose(): void;
}

/** Two layers that learn a wave. @param repeating Whether steps are replayed; otherwise each is computed again. */
function training(repeating: boolean, precision: Precision): Training {
  /** Holds the only reference to its values. */
  const variable = (values: Float32Array, shape: number[]): tf.Variable => {
    const initial = tf.tensor(values, shape);
    const made = tf.variable(initial);
    initial.dispose();
    return made;
  };
  const SQUARE = [WIDTH, WIDTH];
  const zeros = (): tf.Variable => variable(new Float32Array(WIDTH * WIDTH), SQUARE);
  const slots = [0, 1].map((layer): AdamWSlot => ({
    value: variable(wave(WIDTH * WIDTH, layer), SQUARE),
    first: zeros(),
    second: zeros(),
    rateScale: 1,
    weightDecay: 0.05,
  }));
  const values = slots.map(({ value }) => value);
  const lossSum = variable(Float32Array.of(0), []);
  const repeated = new Repeated();
  return {
    lossSum,
    weight: values[0]!,
    repeated,
    step(index, rows = ROWS) {
      const [x, target] = [0, 1].map((which) => tf.tensor2d(wave(rows * WIDTH, index + which / 2), [rows, WIDTH]));
      const options = { learningRate: 0.1 / (1 + index), beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
      const step = { ...options, step: index + 1, gradientScale: 1 };
      const rates = adamWRates(step);
      const inputs = [x!, target!, rates];
      const f = (): void => {
        tf.tidy(() => {
          const { value, grads } = tf.variableGrads(() => {
            const hidden = linear(x!, values[0]!, null, { activation: 'gelu' }, precision);
            const y = linear(hidden, values[1]!, null, { activation: 'none' }, precision);
            return tf.mean(tf.square(tf.sub(y, target!)));
          }, values);
          accumulate(lossSum, value);
          const gradients = values.map(({ name }) => grads[name]!);
          adamW(slots, gradients, step, rates);
        });
      };
      if (repeating) repeated.run(inputs, f);
      else f();
      tf.dispose(inputs);
    },
    dispose() {
      repeated.dispose();
      tf.dispose([lossSum, ...slots.flatMap(({ value, first, second }) => [value, first, second])]);
    },
  };
}

describe.each(devices)('on %s', (device) => {
  beforeAll(async () => {
    await openDevice(device, { threads: 1 });
  });

  it.each<Precision>(['float32', 'float16', 'bfloat16'])(
    'a repeated step gives the numbers of a computed one, in %s',
    async (precision) => {
      if (!hasProducts(precision)) return;
      const sums: number[][] = [];
      for (const repeating of [false, true]) {
        const some = training(repeating, precision);
        const read: number[] = [];
        for (let i = 0; i < STEPS; i++) {
          some.step(i);
          // Reading caches the values with the tensor. They are outdated after the next step.
          read.push((await some.lossSum.data())[0]!, ...(await some.weight.data()).slice(0, 4));
        }
        expect(some.repeated.repeats).toBe(repeating);
        some.dispose();
        sums.push(read);
      }
      expect(sums[1]).toEqual(sums[0]);
      expect(new Set(sums[0]).size).toBe(sums[0]!.length);
    },
  );

  it('a constant survives if its memory would have been that of earlier values of the step', async () => {
    const [sum, repeated] = [tf.variable(tf.scalar(0)), new Repeated()];
    const read: number[] = [];
    for (let i = 0; i < 4; i++) {
      const x = tf.scalar(i);
      repeated.run([x], () => {
        tf.tidy(() => {
          const square = tf.tidy(() => tf.mul(tf.add(x, x), tf.add(x, x))); // frees the memory of two sums
          accumulate(sum, tf.mul(tf.mul(square, 0.5), 0.25));
        });
      });
      x.dispose();
      read.push((await sum.data())[0]!);
    }
    expect(repeated.repeats).toBe(true);
    expect(read).toEqual([0, 0.5, 2.5, 7]); // (2i)² / 8 = 0, 1/2, 2, 9/2
    repeated.dispose();
    sum.dispose();
  });

  it('a replayed step creates no tensors, and disposing of it frees all memory', async () => {
    const before = { tensors: tf.memory().numTensors, memory: memoryInUse() };
    const some = training(true, 'float32');
    const tensors: number[] = [];
    for (let i = 0; i < STEPS; i++) {
      some.step(i);
      tensors.push(tf.memory().numTensors);
    }
    expect(some.repeated.repeats).toBe(true);
    expect(new Set(tensors).size).toBe(1);
    await some.lossSum.data();
    some.dispose();
    expect({ tensors: tf.memory().numTensors, memory: memoryInUse() }).toEqual(before);
  });

  it('other tensors never get the memory of a repeated step', async () => {
    const [alone, disturbed] = [training(true, 'float32'), training(true, 'float32')];
    for (let i = 0; i < STEPS; i++) {
      alone.step(i);
      disturbed.step(i);
      // Tensors of the same sizes as the step's own, which exist during the next step.
      const others = tf.tidy(() => [ROWS * WIDTH, WIDTH * WIDTH, 1].map((size) => tf.neg(tf.fill([size], i))));
      disturbed.step(++i);
      alone.step(i);
      for (const other of others) expect(new Set(await other.data())).toEqual(new Set([1 - i]));
      tf.dispose(others);
    }
    expect(await disturbed.lossSum.data()).toEqual(await alone.lossSum.data());
    alone.dispose();
    disturbed.dispose();
  });

  it('a step is recorded again if shapes change, or a tensor from outside has another buffer', async () => {
    const sums: unknown[] = [];
    for (const repeating of [false, true]) {
      const some = training(repeating, 'float32');
      const repeats: boolean[] = [];
      for (let i = 0; i < 3 * STEPS; i++) {
        if (i === STEPS)
          tf.tidy(() => {
            some.weight.assign(tf.mul(some.weight, 0.5));
          });
        some.step(i, i < 2 * STEPS ? ROWS : ROWS / 2);
        repeats.push(some.repeated.repeats);
      }
      const anew = [0, 1, 2].flatMap((part) => [STEPS * part, STEPS * part + 1]);
      expect(repeats).toEqual(repeats.map((_, i) => repeating && !anew.includes(i)));
      sums.push(await some.lossSum.data());
      some.dispose();
    }
    expect(sums[1]).toEqual(sums[0]);
  });

  it('a call after which new tensors still exist is not replayed', async () => {
    const repeated = new Repeated();
    const left: tf.Tensor[] = [];
    for (let i = 0; i < STEPS; i++) {
      const x = tf.tensor1d([i, i]);
      repeated.run([x], () => {
        left.push(tf.neg(x));
      });
      x.dispose();
    }
    expect(repeated.repeats).toBe(false);
    const values = await Promise.all(left.map(async (y) => (await y.data())[0]));
    expect(values).toEqual(left.map((_, i) => -i));
    tf.dispose(left);
    repeated.dispose();
  });
});
