/** Steps that device simd cannot record: each of them is computed by its kernels. `../repeat.test.ts` has the others. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../../src/backends/device.js';
import { openDevice } from '../../../src/backends/open.js';
import type { SimdBackend } from '../../../src/backends/simd/backend.js';
import { accumulate, Repeated } from '../../../src/ops/index.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('simd', { threads: 1 });
});
afterAll(() => {
  device.close();
});

const STEPS = 6;

/** The sum over steps i of what a function makes of the tensor [i], and whether the last step was a repetition. */
function sumOver(f: (x: tf.Tensor1D) => tf.Tensor): { sum: number; repeats: boolean } {
  const repeated = new Repeated();
  const sum = tf.variable(tf.tensor1d([0]));
  for (let i = 1; i <= STEPS; i++) {
    const x = tf.tensor1d([i]);
    repeated.run([x], () => {
      tf.tidy(() => {
        accumulate(sum, f(x));
      });
    });
    x.dispose();
  }
  const result = { sum: sum.dataSync()[0]!, repeats: repeated.repeats };
  tf.dispose(sum);
  repeated.dispose();
  return result;
}

it('repeats a step of its own kernels', () => {
  expect(sumOver((x) => tf.mul(x, 2))).toEqual({ sum: 42, repeats: true });
});

it('computes a step with a kernel of tfjs each time', () => {
  expect(sumOver((x) => tf.mul(tf.floor(x), 2))).toEqual({ sum: 42, repeats: false });
});

it('computes a step that reads a value each time', () => {
  expect(sumOver((x) => tf.fill([1], 2 * x.dataSync()[0]!))).toEqual({ sum: 42, repeats: false });
});

it('computes each step during a measurement of kernels', () => {
  const backend = tf.backend() as unknown as SimdBackend;
  backend.recordsSteps = false;
  expect(sumOver((x) => tf.mul(x, 2))).toEqual({ sum: 42, repeats: false });
  backend.recordsSteps = true;
});
