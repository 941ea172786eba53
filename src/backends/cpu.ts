/** The plain JavaScript backend of tfjs: slow, available everywhere, and identical to the bit on every machine. */
import * as tf from '@tensorflow/tfjs';
import type { DeviceDriver } from './device.js';

export const cpu: DeviceDriver = {
  name: 'cpu',
  async open() {
    await tf.setBackend('cpu');
    return {
      name: 'cpu',
      description: `tfjs cpu ${tf.version.tfjs}`,
      details: { backend: `tfjs cpu ${tf.version.tfjs}`, adapter: null, driver: null, blas: null, threads: 1 },
      software: true,
      close: () => undefined,
    };
  },
};
