/** The backward pass frees activations and gradients as it goes: tfjs's tape would keep all of them until its end. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import * as ops from '../../src/ops/index.js';
import { availableDevices } from '../support/devices.js';

const devices = (await availableDevices()).filter((name) => name === 'cpu' || name === 'simd');

/** Bytes at the end of the backward pass through layers. */
function bytesLeft(layers: number): number {
  let bytes = NaN;
  const watched = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      bytes = tf.memory().numBytes;
      return tf.clone(dy);
    },
  }));
  tf.tidy(() => {
    const weight = tf.eye(64);
    const before = tf.memory().numBytes;
    tf.grad((x) => {
      let y = watched(x);
      for (let i = 0; i < layers; i++) y = ops.linear(y, weight, null, { activation: 'gelu' });
      return tf.sum(y);
    })(tf.ones([256, 64]));
    bytes -= before;
  });
  return bytes;
}

it.each(devices)('on %s, each layer leaves only the gradient of its weight', async (name) => {
  const device = await openDevice(name, { threads: 1 });
  expect(bytesLeft(9) - bytesLeft(1)).toBe(8 * 4 * 64 * 64);
  device.close();
});
